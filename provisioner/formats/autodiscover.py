"""The answer for mail programs that ask Autodiscover in XML: the mail servers, or the way to Microsoft's Autodiscover.

[MS-OXDSCLI] sections 2.2.3 and 2.2.4 (POX, outlook 2006a). Outlook cannot use IMAP with OAuth, so it is sent to the
cloud's own Autodiscover, where it signs in; every other program gets IMAP, POP3 and SMTP. A domain's policy may say
otherwise for all. Each element is written as the strictest of Thunderbird, exchangelib, FairEmail and Delta Chat
reads it.
"""

from collections.abc import Mapping
from datetime import datetime
from xml.etree.ElementTree import Element

from provisioner import pox
from provisioner.format import AnyoneAt, Audience, Context, Discovery, Format, Found, Lookup, Reply, Request
from provisioner.model import Account, ConnectionSecurity, MailProvider, MailServer, Protocol, Service
from provisioner.organisation import AutodiscoverPolicy
from provisioner.xmltree import node

# Upper case: Thunderbird and FairEmail know no other.
_TYPE = {Protocol.IMAP: "IMAP", Protocol.POP3: "POP3", Protocol.SUBMISSION: "SMTP"}
# [MS-OXDSCLI] 2.2.4.1.1.2.6.22. It overrides SSL, which stays "on" so that no program ever talks in the clear.
_ENCRYPTION = {ConnectionSecurity.IMPLICIT_TLS: "SSL", ConnectionSecurity.STARTTLS: "TLS"}
_HOURS_TO_LIVE = "24"

# What stands in the User-Agent of each Outlook, in lower case.
_OUTLOOKS = (
    "microsoft office",  # "Microsoft Office/16.0 (Windows NT 10.0; MAPI 16.0.9001; Pro)", mailcow pull request 1070
    "microsoft outlook",  # "... Microsoft Outlook 16.0.17726; Pro)", mox issue 200
    "outlook-",  # "Outlook-iOS/2.0", "Outlook-Android/2.0", Microsoft's guide to securing Outlook for iOS and Android
    "macoutlook/",  # "MacOutlook/14.2.0.101115 (Intel Mac OS X 10.6.7)", KDE's Exchange resource
)
_MAPI_OVER_HTTP = "x-mapihttpcapability"  # only Outlook speaks MAPI over HTTP
# EWS clients look for it in the answer to a GET before they ask by SOAP (EWS Managed API, ews-javascript-api 0.15).
_SOAP_TOO: Mapping[str, str] = {"X-SOAP-Enabled": "True"}
_HOST_LABELS = ("autodiscover.", "autoconfig.")


def _answer(request: Request, lookup: Lookup, now: datetime) -> Reply | None:
    if request.method != "POST":
        return _answer_reading(request, lookup, now)
    outlook = _is_from_outlook(request.headers)

    def write(account: Account, found: Found) -> bytes:
        sends_on = outlook and found.context.domain.autodiscover is AutodiscoverPolicy.AUTO
        return found.write(account, _redirect if sends_on else _render)

    return pox.answer_in(pox.OUTLOOK, request, lookup, now, write)


def _is_from_outlook(headers: Mapping[str, str]) -> bool:
    user_agent = headers.get("user-agent", "").lower()
    return _MAPI_OVER_HTTP in headers or any(pattern in user_agent for pattern in _OUTLOOKS)


def _answer_reading(request: Request, lookup: Lookup, now: datetime) -> Reply:
    """The reply to a GET or HEAD, which name nobody: Delta Chat asks so, and EWS clients look at the headers."""
    found = lookup(request.host_domain) if request.host_domain else None
    if found is None:
        return pox.fault_reply(pox.Fault.INVALID_REQUEST, now, status=404)
    if found.context.domain.autodiscover is AutodiscoverPolicy.REDIRECT:
        return _moved(_cloud_url(found.provider))
    if request.plain_http:
        return _moved(f"https://{_asked_host(request)}{pox.PATH}")
    document = found.write(AnyoneAt(request.host_domain), _render)
    return Reply(status=200, body=document, media_type=pox.MEDIA_TYPE, headers=_SOAP_TOO)


def _asked_host(request: Request) -> str:
    """The host that was asked, made of the configured domain, so that a Host header cannot send anybody elsewhere."""
    host = request.headers["host"].lower()
    label = next((label for label in _HOST_LABELS if host.startswith(f"{label}{request.host_domain}")), "")
    return f"{label}{request.host_domain}"


def _moved(url: str) -> Reply:
    # 302: the EWS Managed API follows 301, 302, 303 and 307, but not 308.
    return Reply(status=302, body=b"", media_type=pox.MEDIA_TYPE, headers={"Location": url})


def _render(subject: Account | AnyoneAt, provider: MailProvider, context: Context) -> bytes:
    """What a program that is not Outlook gets; under the policy ``redirect`` that is what everybody gets."""
    if context.domain.autodiscover is AutodiscoverPolicy.REDIRECT:
        return _redirect(subject, provider, context)
    login = subject.username if isinstance(subject, Account) else ""
    return _account("settings", *(_protocol(server, login) for server in provider.servers))


def _redirect(subject: Account | AnyoneAt, provider: MailProvider, context: Context) -> bytes:  # noqa: ARG001  # as _render
    return _account("redirectUrl", node("RedirectUrl", _cloud_url(provider)))  # [MS-OXDSCLI] 2.2.4.1.1.2.9


def _cloud_url(provider: MailProvider) -> str:
    assert provider.autodiscover is not None  # declared in needs
    return provider.autodiscover.pox_url


def _account(action: str, *content: Element) -> bytes:
    # FairEmail reads AccountType and Action only where they stand before Protocol.
    return pox.write_answer(
        pox.OUTLOOK, node("Account", node("AccountType", "email"), node("Action", action), *content)
    )


def _protocol(server: MailServer, login: str) -> Element:
    """[MS-OXDSCLI] 2.2.4.1.1.2.6. No element is empty: Thunderbird takes an empty one for the value true."""
    return node(
        "Protocol",
        node("Type", _TYPE[server.protocol]),
        node("TTL", _HOURS_TO_LIVE),
        node("Server", server.hostname),
        node("Port", str(server.port)),
        *([node("LoginName", login)] if login else []),
        node("DomainRequired", "off"),
        node("SPA", "off"),  # must be written: "on", which is NTLM, is the default
        node("SSL", "on"),
        node("Encryption", _ENCRYPTION[server.security]),
        node("AuthRequired", "on"),
        *(_for_sending() if server.protocol is Protocol.SUBMISSION else []),
    )


def _for_sending() -> list[Element]:
    """The two elements that Microsoft's reference has for SMTP alone: the same login, and no special order."""
    return [node("UsePOPAuth", "on"), node("SMTPLast", "off")]


FORMAT = Format(
    id="autodiscover",
    title="Mail servers for programs that ask Autodiscover (POX)",
    media_type=pox.MEDIA_TYPE,
    suffix="xml",
    audience=Audience.CLIENT,
    needs=frozenset({Service.IMAP, Service.POP3, Service.SUBMISSION, Service.AUTODISCOVER}),
    signed=False,
    render=_render,
    subjects=frozenset({Account, AnyoneAt}),
    discovery=Discovery(paths=(pox.PATH,), methods=frozenset({"GET", "POST"}), answer=_answer, refuse=pox.refuse),
)
