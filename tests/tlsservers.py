"""What servers on this machine need to speak TLS: an authority of the test run and a certificate for 127.0.0.1."""

import ssl
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.x509 import DNSName, ExtensionType, IPAddress, SubjectAlternativeName

from tests import pki

HOST = "127.0.0.1"


@cache
def authority() -> pki.Certified:
    """The authority of this test run."""
    return pki.make_root("Contoso test servers")


def authority_file(directory: Path) -> Path:
    """The authority as a PEM file in ``directory``."""
    file = directory / "authority.pem"
    file.write_bytes(pki.certificates_pem(authority().certificate))
    return file


def server_tls(*, name: str = "") -> ssl.SSLContext:
    """The server's side: a certificate for 127.0.0.1, or for another ``name`` where a test wants a wrong one."""
    names = [DNSName(name)] if name else [IPAddress(ip_address(HOST))]
    extensions: list[ExtensionType] = [*pki.usual_extensions(ca=False), SubjectAlternativeName(names)]
    certified = authority().issue("server", extensions=extensions)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as place:
        chain, key = Path(place) / "chain.pem", Path(place) / "key.pem"
        chain.write_bytes(pki.certificates_pem(certified.certificate))
        key.write_bytes(pki.key_pem(certified.key))
        context.load_cert_chain(chain, key)
    return context


def client_tls() -> ssl.SSLContext:
    """The client's side: knows the authority of this test run and no other."""
    return ssl.create_default_context(cadata=pki.certificates_pem(authority().certificate).decode())
