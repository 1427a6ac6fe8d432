"""What a person or program gave us and cannot be used, is not known here, or would undo something."""

from collections.abc import Iterable

from provisioner.errors.base import ProvisionerError, printable, suggestion


class InvalidInput(ProvisionerError):
    """What was given cannot be used; the text names the reason."""


class InvalidText(InvalidInput):
    """A text holds a character that no document may hold."""


class InvalidDomain(InvalidInput):
    """Not a domain that mail can be addressed to."""


class InvalidAddress(InvalidInput):
    """Not an e-mail address that Office 365 can have."""


class InvalidUsername(InvalidInput):
    """Not a user principal name."""


class InvalidDisplayName(InvalidInput):
    """A display name that no document may hold."""


class InvalidTable(InvalidInput):
    """A file of people is no CSV file, or no column of it tells addresses."""


class InvalidXml(InvalidInput):
    """A request's body is not XML that we read."""


class InvalidQuery(InvalidInput):
    """What stands after the question mark of a URL cannot be read in one way only."""


class PasswordInQuery(InvalidQuery):
    """A password stands in a URL, where browsers and proxies keep it."""

    def __init__(self) -> None:
        super().__init__("A password is never needed here, and was not read. If it was a real one, change it.")


class InvalidSetting(InvalidInput):
    """A setting of an organisation, a domain or a link is out of its range."""


class MdmRefusal(InvalidInput):
    """Something that this MDM cannot be given; the text names the MDM and the reason."""

    def __init__(self, mdm: str, reason: str) -> None:
        self.mdm, self.reason = mdm, reason
        super().__init__(f"{mdm}: {reason}")

    def __reduce__(self) -> tuple[type["MdmRefusal"], tuple[str, str]]:
        return MdmRefusal, (self.mdm, self.reason)  # a helper process may have raised it


class NotFound(ProvisionerError):
    """A well-formed name that is not known here."""

    what = "name"

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        self.name = name
        super().__init__(f"Unknown {self.what} {printable(name)}. {suggestion(name, known)}")


class UnknownFormat(NotFound):
    """No format has this id."""

    what = "format"


class UnknownProvider(NotFound):
    """No mail provider has this id."""

    what = "mail provider"


class UnknownMdm(NotFound):
    """No MDM has this id."""

    what = "MDM"


class UnknownOrganisation(NotFound):
    """No organisation has this id."""

    what = "organisation"


class UnknownDomain(NotFound):
    """The domain is not configured here."""

    what = "domain"

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        super().__init__(name, known)
        self.args = (
            f"The domain {printable(name)} is not configured here. 'provisioner domain list' shows those that are, "
            "'provisioner domain add' adds one.",
        )


class UnknownLink(NotFound):
    """No setup link is meant by this token or id; malformed and deleted ones look the same."""

    what = "setup link"

    def __init__(self) -> None:
        super().__init__("")
        self.args = ("There is no such setup link. Ask for a new one.",)


class AlreadyExists(ProvisionerError):
    """Adding it again would silently change what is there."""


class StillInUse(ProvisionerError):
    """It cannot be removed while something needs it."""
