"""Signs this service in at Microsoft Entra ID as an application, so that it can send mail or call Graph by itself.

OAuth 2.0 client credentials (RFC 6749 section 4.4), with a secret or with a certificate (RFC 7523), by Microsoft's own
library MSAL. Authority and scope are facts of the cloud and come from the catalogue; no other place imports MSAL.
"""

import os
import re
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from provisioner.errors import ConfigurationError, SignInRefused, SignInUnavailable, printable

if TYPE_CHECKING:
    from msal import ConfidentialClientApplication  # type: ignore[import-untyped]  # it has no types

_SECONDS = 30
_LONGEST_REASON = 300  # characters of what Entra ID says
_MAX_PEM_OCTETS = 64 * 1024
# RFC 6749 section 4.1.2.1: the server's own trouble, and not a refusal.
_LATER = ("temporarily_unavailable", "server_error")
_NOT_SHOWN = "********"
_TOKEN = re.compile(r"[\x20-\x7e]+")  # RFC 6749 appendix A.12
# What MSAL raises of an answer that is no JSON, or JSON in which it does not find what it takes for granted.
_OF_ANOTHER_SHAPE = (ValueError, TypeError, AttributeError, LookupError)


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """An application's certificate and its RSA key, both PEM."""

    certificate: str
    private_key: str = field(repr=False)


ClientCredential = str | ClientCertificate  # a text is the application's secret


class AppToken:
    """The access token of one application for one scope. Safe to share between threads."""

    def __init__(
        self,
        *,
        authority: str,
        tenant: str,
        client_id: str,
        credential: ClientCredential,
        scope: str,
    ) -> None:
        """``authority`` is an https URL without a path. The variable REQUESTS_CA_BUNDLE names other roots of TLS."""
        self._authority = f"{authority}/{tenant}"
        self._client_id = client_id
        self._credential = credential
        self._scope = scope

    def current(self) -> str:
        """A token that is good for five more minutes at least; asks Entra ID only where the last one is not.

        Raises SignInRefused and SignInUnavailable; their texts never hold the secret.
        """
        from msal.exceptions import MsalServiceError  # type: ignore[import-untyped]  # an answer of 500 and more

        try:
            answer: dict[str, Any] = self._application.acquire_token_for_client(scopes=[self._scope])
        except (OSError, MsalServiceError) as failure:  # OSError: what MSAL's HTTP library raises
            raise SignInUnavailable(
                f"The sign-in page {self._authority} does not answer ({type(failure).__name__}). Try again in a "
                "moment; if it stays so, see that this machine may connect to it."
            ) from None
        except _OF_ANOTHER_SHAPE:
            raise SignInUnavailable(
                f"What answers at {self._authority} is not Microsoft's sign-in. See that no proxy or portal stands "
                "between it and this machine."
            ) from None
        token = answer.get("access_token")
        if isinstance(token, str) and _TOKEN.fullmatch(token):
            return token
        raise self._refusal(answer)

    @cached_property
    def _application(self) -> "ConfidentialClientApplication":
        # Imported when first needed: with its HTTP library it takes longer to load than all the rest.
        from msal import ConfidentialClientApplication

        try:
            return ConfidentialClientApplication(
                self._client_id,
                client_credential=_as_msal_takes_it(self._credential),
                authority=self._authority,
                # The authority is the catalogue's; MSAL would ask the worldwide cloud whether it knows it.
                instance_discovery=False,
                timeout=_SECONDS,
            )
        except ValueError:  # no such tenant, or what answers there is no Entra ID
            raise SignInRefused(
                f"{self._authority} is not known at Microsoft. Set the tenant to its id or to one of its domains, and "
                "the mail provider to its cloud."
            ) from None

    def _refusal(self, answer: dict[str, Any]) -> SignInRefused | SignInUnavailable:
        error = str(answer.get("error", "no reason"))
        lines = str(answer.get("error_description", "")).splitlines()
        said = lines[0] if lines else ""
        if isinstance(self._credential, str):
            said = said.replace(self._credential, _NOT_SHOWN)
        reason = f"{error}: {printable(said, _LONGEST_REASON)}" if said else error
        if error in _LATER:
            return SignInUnavailable(f"The sign-in is not possible at the moment: {reason}.")
        return SignInRefused(
            f"Entra ID refuses the application: {reason}. See that tenant, client id and its secret or certificate "
            "belong together, and that none of them has expired."
        )


def _as_msal_takes_it(credential: ClientCredential) -> str | dict[str, str]:
    if isinstance(credential, str):
        return credential
    return {"private_key": credential.private_key, "public_certificate": credential.certificate}


def load_client_certificate(path: Path) -> ClientCertificate:
    """The certificate and its RSA key from one PEM file, which nobody else may read. Raises ConfigurationError."""
    try:
        with path.open("rb") as file:
            mode, content = os.fstat(file.fileno()).st_mode, file.read(_MAX_PEM_OCTETS)
    except OSError as failure:
        raise ConfigurationError(f"The client certificate {path} cannot be read: {failure.strerror}.") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(
            f"The client certificate {path} holds a private key and is open to other users of this machine (mode "
            f"{stat.S_IMODE(mode):04o}). Close it with: chmod 600 {path}"
        )
    try:
        key = load_pem_private_key(content, password=None)
        certificate = load_pem_x509_certificate(content)
    except (ValueError, TypeError):  # TypeError: the key has a passphrase
        raise ConfigurationError(
            f"The client certificate {path} must hold one certificate and its private key without a passphrase, both "
            "as PEM."
        ) from None
    if not isinstance(key, RSAPrivateKey) or key.public_key() != certificate.public_key():
        raise ConfigurationError(f"The key in {path} must be the RSA key of the certificate beside it.")
    return ClientCertificate(
        certificate=certificate.public_bytes(Encoding.PEM).decode(),
        private_key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    )
