"""Everything that can be refused or go wrong, as one tree of exceptions that carry their data.

::

    ProvisionerError
    ├── InvalidInput                what a person or program gave us cannot be used
    │   ├── InvalidText             a character no document may hold
    │   ├── InvalidDomain
    │   ├── InvalidAddress
    │   ├── InvalidUsername
    │   ├── InvalidDisplayName
    │   ├── InvalidTable            a CSV file that is none, or tells no addresses
    │   ├── InvalidXml              a request that is no XML we read
    │   ├── InvalidQuery            what stands after the question mark of a URL
    │   │   └── PasswordInQuery
    │   ├── InvalidSetting          an organisation's, domain's or link's setting
    │   └── MdmRefusal              an MDM cannot be given this
    ├── NotFound                    a name that is well formed but not ours
    │   ├── UnknownFormat
    │   ├── UnknownProvider
    │   ├── UnknownMdm
    │   ├── UnknownDomain
    │   ├── UnknownOrganisation
    │   └── UnknownLink
    ├── AlreadyExists               it is there, and adding it again would change it silently
    ├── StillInUse                  it cannot be removed while something needs it
    ├── MissingService              the provider lacks what the format needs
    ├── DocumentTooLarge            an MDM does not take a file of this size
    ├── CatalogueError              a fact file is wrong (file, key, line)
    ├── ConfigurationError          a setting of the service is wrong
    ├── LinkClosed                  the link exists but no longer opens
    │   ├── LinkExpired
    │   ├── LinkRevoked
    │   └── LinkUsedUp
    ├── TooManyLinks                the start page gives none for a while
    ├── PushRefused                 an MDM's API has answered, and will not do it
    ├── PushFailed                  it has not answered in a way that can be understood
    │   └── PushUnclear             and may have done it
    ├── IdentityError               nothing can be signed
    │   ├── NoIdentity
    │   ├── IdentityUnusable        key, chain, key usage or passphrase is wrong
    │   └── IdentityNotInDate
    ├── SignInError                 no access token for a program of ours
    │   ├── SignInRefused           Entra ID does not know it: wrong secret, certificate, application or tenant
    │   └── SignInUnavailable       Entra ID does not answer
    ├── RelayError                  the mail server takes no mail, whoever it is for
    │   ├── RelayUnusable           its TLS, our sign-in or our sender's address
    │   │   └── SenderRefused       it does not take this mail from our sender, and so perhaps none
    │   └── RelayUnavailable        it does not answer, or says to come later
    └── StoreUnavailable            the database does not answer

A message says what was expected, what was found and what to do. It never holds a token, a key or a whole address.
"""

from provisioner.errors.base import (
    ProvisionerError,
    printable,
    suggestion,
)
from provisioner.errors.failed import (
    CatalogueError,
    ConfigurationError,
    DocumentTooLarge,
    IdentityError,
    IdentityNotInDate,
    IdentityUnusable,
    LinkClosed,
    LinkExpired,
    LinkRevoked,
    LinkUsedUp,
    MissingService,
    NoIdentity,
    PushFailed,
    PushRefused,
    PushUnclear,
    RelayError,
    RelayUnavailable,
    RelayUnusable,
    SenderRefused,
    SignInError,
    SignInRefused,
    SignInUnavailable,
    StoreProblem,
    StoreUnavailable,
    TooManyLinks,
)
from provisioner.errors.refused import (
    AlreadyExists,
    InvalidAddress,
    InvalidDisplayName,
    InvalidDomain,
    InvalidInput,
    InvalidQuery,
    InvalidSetting,
    InvalidTable,
    InvalidText,
    InvalidUsername,
    InvalidXml,
    MdmRefusal,
    NotFound,
    PasswordInQuery,
    StillInUse,
    UnknownDomain,
    UnknownFormat,
    UnknownLink,
    UnknownMdm,
    UnknownOrganisation,
    UnknownProvider,
)

__all__ = [
    "AlreadyExists",
    "CatalogueError",
    "ConfigurationError",
    "DocumentTooLarge",
    "IdentityError",
    "IdentityNotInDate",
    "IdentityUnusable",
    "InvalidAddress",
    "InvalidDisplayName",
    "InvalidDomain",
    "InvalidInput",
    "InvalidQuery",
    "InvalidSetting",
    "InvalidTable",
    "InvalidText",
    "InvalidUsername",
    "InvalidXml",
    "LinkClosed",
    "LinkExpired",
    "LinkRevoked",
    "LinkUsedUp",
    "MdmRefusal",
    "MissingService",
    "NoIdentity",
    "NotFound",
    "PasswordInQuery",
    "ProvisionerError",
    "PushFailed",
    "PushRefused",
    "PushUnclear",
    "RelayError",
    "RelayUnavailable",
    "RelayUnusable",
    "SenderRefused",
    "SignInError",
    "SignInRefused",
    "SignInUnavailable",
    "StillInUse",
    "StoreProblem",
    "StoreUnavailable",
    "TooManyLinks",
    "UnknownDomain",
    "UnknownFormat",
    "UnknownLink",
    "UnknownMdm",
    "UnknownOrganisation",
    "UnknownProvider",
    "printable",
    "suggestion",
]
