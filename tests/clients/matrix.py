"""The client matrix: each mail client, what it asks, what it gets and how we know; docs/clients.md is written from it.

The tests with real clients compare ``asks`` with what came over the wire. ``A`` stands for the address and ``D`` for
its domain; a request without a host is one whose host no source names.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Proof(Enum):
    """How we know."""

    REAL = "real client, in tests"
    EMULATED = "rules emulated, in tests"
    NOT = "not tested here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One client in one version."""

    name: str
    proof: Proof
    asks: tuple[str, ...]  # in its order, where it has one
    gets: str
    mind: str = ""  # what an administrator should know
    tests: str  # the module that runs it, or the function that has its rules; "" where there is none


_AUTOCONFIG = "/mail/config-v1.1.xml"
_WELL_KNOWN = "/.well-known/autoconfig/mail/config-v1.1.xml"
_POX = "/autodiscover/autodiscover.xml"
_JSON = "/autodiscover/autodiscover.json"
_EVERY_SERVER = "IMAP, POP3 and sending: host, port, encryption, OAuth2"
_IMAP_AND_SENDING = "IMAP and sending: host, port, encryption"

CLIENTS = (
    Client(
        name="Thunderbird 153 (Debian 12)",
        proof=Proof.REAL,
        asks=(
            f"GET https://autoconfig.D{_AUTOCONFIG}?emailaddress=",
            f"GET https://D{_WELL_KNOWN}?emailaddress=",
            f"GET http://autoconfig.D{_AUTOCONFIG}?emailaddress=",
            f"GET http://D{_WELL_KNOWN}?emailaddress=",
            f"POST https://autodiscover.D{_POX}",
            f"POST https://D{_POX}",
            f"POST http://autodiscover.D{_POX}",
        ),
        gets=_EVERY_SERVER,
        mind="Everything is asked at once. With Autodiscover alone it gets the same servers, but that protocol has no "
        "word for OAuth2 and it prepares for a password, which Microsoft refuses: publish the autoconfig name. Where "
        "a password was typed, it goes along to Autodiscover; it is dropped unread.",
        tests="test_clients_thunderbird",
    ),
    Client(
        name="exchangelib 5.6",
        proof=Proof.REAL,
        asks=(
            "POST https://D/autodiscover/autodiscover.svc",
            "POST https://autodiscover.D/autodiscover/autodiscover.svc",
        ),
        gets="the EWS URL",
        mind="Where neither answers, it looks for an SRV record, and that works too. It follows the policy `redirect` "
        "to Microsoft. It does not read mail servers.",
        tests="test_clients_exchangelib",
    ),
    Client(
        name="exchangelib 4.9",
        proof=Proof.REAL,
        asks=(
            "POST https://D/Autodiscover/Autodiscover.xml",
            "POST https://autodiscover.D/Autodiscover/Autodiscover.xml",
        ),
        gets="IMAP, POP3 and sending are read right, but it is after an EWS URL, which that answer does not have",
        mind="Use 5.x. Under the policy `redirect` it stops: it looks for the address in `RedirectURL`, and the "
        "standard's element is `RedirectUrl`.",
        tests="test_clients_exchangelib",
    ),
    Client(
        name="ews-javascript-api 0.15",
        proof=Proof.REAL,
        asks=(
            f"GET https://autodiscover.D{_POX}",
            "POST https://autodiscover.D/autodiscover/autodiscover.svc",
        ),
        gets="the EWS URL; IMAP, POP3 and sending: host, port, encryption",
        mind="It goes on to the second request only because the first answer has `X-SOAP-Enabled: True`.",
        tests="test_clients_ews_javascript_api",
    ),
    Client(
        name="Thunderbird for Android",
        proof=Proof.EMULATED,
        asks=(
            f"GET https://autoconfig.D{_AUTOCONFIG}",
            f"GET https://D{_WELL_KNOWN}",
            f"GET http://autoconfig.D{_AUTOCONFIG}",
            f"GET http://D{_WELL_KNOWN}",
        ),
        gets=_EVERY_SERVER,
        mind="It sends no address, so the host name alone decides whose settings they are. Settings over http are "
        "shown as not trusted.",
        tests="autoconfig_clients.thunderbird_android",
    ),
    Client(
        name="Evolution 3.46",
        proof=Proof.EMULATED,
        asks=(f"GET {_AUTOCONFIG}?emailaddress=&emailmd5=",),
        gets=_IMAP_AND_SENDING,
        mind="It asks for somebody called EVOLUTIONUSER. It reads OAuth2 as no sign-in method at all, and then asks "
        "or guesses by the host.",
        tests="autoconfig_clients.evolution",
    ),
    Client(
        name="Delta Chat 2.65",
        proof=Proof.EMULATED,
        asks=(
            f"GET https://autoconfig.D{_AUTOCONFIG}?emailaddress=",
            f"GET https://D{_WELL_KNOWN}",
            f"GET https://D{_POX}",
            f"GET https://autodiscover.D{_POX}",
        ),
        gets=_IMAP_AND_SENDING,
        mind="It signs in with a password, whatever the answer says, so Microsoft refuses it.",
        tests="autoconfig_clients.delta_chat",
    ),
    Client(
        name="FairEmail",
        proof=Proof.EMULATED,
        asks=(
            f"GET https://autoconfig.D{_AUTOCONFIG}?emailaddress=",
            f"GET https://D{_WELL_KNOWN}?emailaddress=",
            f"POST https://D{_POX}",
            f"POST https://autodiscover.D{_POX}",
        ),
        gets=_IMAP_AND_SENDING,
        mind="A plus in the address arrives as a blank and is repaired. It also finds the servers by SRV records, if "
        "both `_imaps` and `_submission` are there.",
        tests="autoconfig_clients.fairemail",
    ),
    Client(
        name="Geary 44",
        proof=Proof.EMULATED,
        asks=(f"GET https://autoconfig.D{_AUTOCONFIG}",),
        gets=_IMAP_AND_SENDING,
        mind="It reads a page of any status, so no refusal of ours looks like settings.",
        tests="autoconfig_clients.geary",
    ),
    Client(
        name="EWS Managed API (.NET)",
        proof=Proof.EMULATED,
        asks=(
            "POST https://D/autodiscover/autodiscover.svc",
            f"POST https://D{_POX}",
            "POST https://autodiscover.D/autodiscover/autodiscover.svc",
            f"POST https://autodiscover.D{_POX}",
            f"GET http://autodiscover.D{_POX}",
        ),
        gets="the EWS URL by SOAP; by POX only under the policy `redirect`, from Microsoft",
        tests="mail_clients.ews_managed_api",
    ),
    Client(
        name="Outlook for Windows, classic",
        proof=Proof.NOT,
        asks=(f"POST https://D{_POX}", f"POST https://autodiscover.D{_POX}", f"GET http://autodiscover.D{_POX}"),
        gets="a redirection to Microsoft's own Autodiscover",
        mind="It asks Microsoft first and then seldom comes here. It cannot use IMAP with OAuth2, so it never gets "
        "IMAP unless the policy is `settings`.",
        tests="",
    ),
    Client(
        name="Outlook, new, and Outlook for iPhone and Android",
        proof=Proof.NOT,
        asks=(f"GET {_JSON}?Email=&Protocol=&RedirectCount=", f"GET {_JSON}/v1.0/A?Protocol="),
        gets="Microsoft's URL of the protocol it names (Autodiscover, ActiveSync)",
        mind="For the apps on phones Microsoft's servers ask, and only about mailboxes not in Exchange Online.",
        tests="",
    ),
    Client(
        name="Mail on iPhone and iPad (Exchange account by hand)",
        proof=Proof.NOT,
        asks=(f"POST https://D{_POX}", f"POST https://autodiscover.D{_POX}"),
        gets="Microsoft's ActiveSync URL",
        mind="It asks Microsoft first. People with a setup link install a profile instead, and nothing is asked.",
        tests="",
    ),
    Client(
        name="KMail",
        proof=Proof.NOT,
        asks=(f"GET http://autoconfig.D{_AUTOCONFIG}", f"GET http://D{_WELL_KNOWN}"),
        gets=_IMAP_AND_SENDING,
        mind="Plain http alone: let the proxy pass port 80 on and say so in X-Forwarded-Proto.",
        tests="",
    ),
    Client(
        name="Nine",
        proof=Proof.NOT,
        asks=("GET /v1.1/mail/config-v1.1.xml?emailaddress=", f"GET {_JSON}?Email=&Protocol="),
        gets="as the others who ask there",
        tests="",
    ),
    Client(
        name="myMail",
        proof=Proof.NOT,
        asks=(f"GET {_POX}",),
        gets="IMAP, POP3 and sending, without a user name",
        tests="",
    ),
)


def client(name: str) -> Client:
    """The client called so. Raises KeyError."""
    return {each.name: each for each in CLIENTS}[name]


_HEAD = """\
# Mail clients

Which mail client asks what, what it gets from Provisioner for a domain of Microsoft 365, and how we know. `A` is
the person's address and `D` its domain; a request without a host is one whose host we have no source for.

How the names get there: `provisioner dns D` says to point `autoconfig.D` at the service and to leave `autodiscover.D`
at Microsoft. So what asks Autodiscover comes here only where an administrator has decided otherwise.

Written by `pytest tests/test_client_matrix.py --update-golden` from the table that the tests use; not by hand.
"""

_SECTIONS = {
    Proof.REAL: """\
## Real clients, in every test run

The program itself runs against `provisioner serve` behind a proxy with TLS (a throw-away authority), with a name server
of its own, in Linux namespaces that nothing gets out of. The tests compare what it asked, request by request, with this
table, and what it ended with, with the catalogue.
""",
    Proof.EMULATED: """\
## Rules emulated, in every test run

The rules by which the program takes, misreads or refuses an answer stand again as code, and the tests read our answers
with them. Thunderbird for Android's parser, Evolution and Delta Chat's core were themselves run on right and wrong
answers in November 2026, and the rules are what they did; the others' rules are from their source alone.
""",
    Proof.NOT: """\
## Not tested here

What a machine without a screen, a phone or an account at Microsoft cannot run. What these ask is known from their
makers' documentation, their source or others' captures (KMail's, Nine's and myMail's from issue threads). The tests
send such requests and check the answer; what the program makes of it, nobody has seen here.
""",
}


def write(clients: Iterable[Client] = CLIENTS) -> str:
    """docs/clients.md."""
    listed = list(clients)
    sections = [
        f"{text}\n{_table(each for each in listed if each.proof is proof)}" for proof, text in _SECTIONS.items()
    ]
    return "\n".join([_HEAD, *sections])


def _table(clients: Iterable[Client]) -> str:
    rows = [f"| {each.name} | {_asks(each)} | {each.gets} | {each.mind} |\n" for each in clients]
    return "".join(["| client | asks | gets | mind |\n", "|---|---|---|---|\n", *rows])


def _asks(client: Client) -> str:
    return "<br>".join(f"`{request}`" for request in client.asks)
