"""How a mail client asks for one address in each protocol, and what kind of answer came back."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote
from xml.etree.ElementTree import ParseError, fromstring
from xml.sax.saxutils import escape

XML = "text/xml; charset=utf-8"
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"

POX_PATH = "/autodiscover/autodiscover.xml"
SOAP_PATH = "/autodiscover/autodiscover.svc"
JSON_PATH = "/autodiscover/autodiscover.json"
AUTOCONFIG_PATH = "/mail/config-v1.1.xml"

_SCHEMAS = "http://schemas.microsoft.com/exchange/autodiscover"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_EWS = "http://schemas.microsoft.com/exchange/2010/Autodiscover"


@dataclass(frozen=True)
class Question:
    """A request that a client sends."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def pox(address: str, *, schema: str = f"{_SCHEMAS}/outlook/responseschema/2006a") -> Question:
    """Autodiscover in XML, as Thunderbird asks."""
    request = schema.replace("response", "request").removesuffix("a")
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{request}"><Request>'
        f"<EMailAddress>{escape(address)}</EMailAddress>"
        f"<AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
    )
    return _post(POX_PATH, body)


def mobilesync(address: str) -> Question:
    """Autodiscover in XML, as phones ask."""
    return pox(address, schema=f"{_SCHEMAS}/mobilesync/responseschema/2006")


def soap(address: str) -> Question:
    """GetUserSettings."""
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{_SOAP}"><s:Body>'
        f'<GetUserSettingsRequestMessage xmlns="{_EWS}"><Request>'
        f"<Users><User><Mailbox>{escape(address)}</Mailbox></User></Users>"
        "<RequestedSettings><Setting>ExternalEwsUrl</Setting></RequestedSettings>"
        "</Request></GetUserSettingsRequestMessage></s:Body></s:Envelope>"
    )
    return _post(SOAP_PATH, body)


def _post(path: str, body: str) -> Question:
    return Question(
        "POST", path, body=body.encode(errors="surrogatepass"), headers={"Content-Type": "text/xml; charset=utf-8"}
    )


def autoconfig(address: str) -> Question:
    """Mozilla autoconfig."""
    return Question("GET", AUTOCONFIG_PATH, f"emailaddress={_quote(address)}")


def v2(address: str) -> Question:
    """Autodiscover version 2 with the address as a parameter."""
    return Question("GET", JSON_PATH, f"Email={_quote(address)}&Protocol=EWS")


def v2_path(address: str) -> Question:
    """Autodiscover version 2 with the address in the path."""
    return Question("GET", f"{JSON_PATH}/v1.0/{_quote(address)}", "Protocol=EWS")


def _quote(address: str) -> str:
    return quote(address, safe="", errors="surrogatepass")


PROTOCOLS: Mapping[str, Callable[[str], Question]] = {
    "pox": pox,
    "mobilesync": mobilesync,
    "soap": soap,
    "autoconfig": autoconfig,
    "v2": v2,
    "v2 path": v2_path,
}
IN_XML = ("pox", "mobilesync", "soap")
IN_URL = ("autoconfig", "v2", "v2 path")


def kind_of(body: bytes) -> str:
    """What a body is: settings, the protocol's own word for what is wrong, a plain text, or nothing."""
    if not body:
        return "nothing"
    if body.startswith(b"{"):
        answer: dict[str, str] = json.loads(body)
        return answer.get("ErrorCode", "settings")
    try:
        root = fromstring(body)
    except ParseError:
        return "text"
    names = {element.tag.rpartition("}")[2]: element.text or "" for element in root.iter()}
    if "faultcode" in names:
        return "fault"
    if "RedirectUrl" in names:
        return "redirect"
    codes = [element.text or "" for element in root.iter() if element.tag.endswith("ErrorCode")]
    return next((code for code in codes if code != "NoError"), "settings")
