"""What Outlook's and the phones' Autodiscover share: schema names, the XML a client asks with, and the errors it gets.

Request: [MS-OXDSCLI] section 2.2.3, [MS-ASCMD] section 2.2.1.1. Error: [MS-OXDSCLI] section 2.2.4.1.1.3, [MS-ASCMD]
section 2.2.3.63; both name the same element, and [MS-ASCMD] section 6.4 puts it into the outer schema for phones too.
Microsoft's documentation prints the schema names with https:// since an edit of 2020-01-15, its software writes
http://: requests may hold either, answers hold http://.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from xml.etree.ElementTree import Element

from provisioner.errors import InvalidInput, InvalidXml
from provisioner.format import Found, Lookup, Reply, Request
from provisioner.model import Account
from provisioner.xmltree import node, read_xml, write_xml

PATH = "/autodiscover/autodiscover.xml"
MEDIA_TYPE = "text/xml; charset=utf-8"

_SCHEMAS = "http://schemas.microsoft.com/exchange/autodiscover"
OUTLOOK = f"{_SCHEMAS}/outlook/responseschema/2006a"
MOBILESYNC = f"{_SCHEMAS}/mobilesync/responseschema/2006"
_REQUESTS = frozenset({f"{_SCHEMAS}/outlook/requestschema/2006", f"{_SCHEMAS}/mobilesync/requestschema/2006"})
_ANSWER = f"{_SCHEMAS}/responseschema/2006"

_XML_BLANKS = " \t\r\n"
# [MS-ASCMD] 2.2.3.63: an unsigned integer that stands for the server. One for all, so that it tells nothing.
_SERVER_ID = "1"


class Fault(Enum):
    """Why a client gets no settings: ErrorCode ([MS-OXDSCLI] 2.2.4.1.1.3.1), Message in Exchange's words, DebugData.

    exchangelib 4.9 knows a missing mailbox by this very Message. DebugData is for the administrator ([MS-ASCMD]
    2.2.3.40); Exchange leaves it empty, but no element here ever is: some parsers take an empty one for "true".
    """

    NOT_FOUND = ("500", "The email address can't be found.", "The domain of the address is not configured here.")
    INVALID_REQUEST = (
        "600",
        "Invalid Request",
        "A POST was expected, with XML that has one EMailAddress, one AcceptableResponseSchema and no DOCTYPE.",
    )
    NO_PROVIDER = ("601", "Provider is not available.", f"AcceptableResponseSchema may be {OUTLOOK} or {MOBILESYNC}.")


@dataclass(frozen=True, slots=True)
class Question:
    """What a client's XML asks: for whom, and in which response schema (in its http spelling) it wants the answer."""

    account: Account
    schema: str


def read_question(body: bytes) -> Question:
    """What ``body`` asks. Raises InvalidInput where it is no such request or names no mailbox that can exist."""
    root = read_xml(body)
    if not _is(root, "Autodiscover"):
        raise InvalidXml("The root is no Autodiscover element of a request schema; check the spelling of its xmlns.")
    request = _only(root, "Request")
    return Question(
        account=Account(_text(request, "EMailAddress")),
        schema=_with_http(_text(request, "AcceptableResponseSchema")),
    )


def _is(element: Element, name: str) -> bool:
    return element.tag in _names(name)


@cache
def _names(name: str) -> frozenset[str]:
    """The element's whole name, as ElementTree has it, in each request schema and each spelling of it."""
    schemas = _REQUESTS | {schema.replace("http://", "https://", 1) for schema in _REQUESTS}
    return frozenset(f"{{{schema}}}{name}" for schema in schemas)


def _with_http(schema: str) -> str:
    return f"http://{schema.removeprefix('https://')}" if schema.startswith("https://") else schema


def _only(parent: Element, name: str) -> Element:
    found = [child for child in parent if _is(child, name)]
    if len(found) != 1:
        raise InvalidXml(f"There are {len(found)} {name} elements; exactly one was expected.")
    return found[0]


def _text(parent: Element, name: str) -> str:
    element = _only(parent, name)
    text = (element.text or "").strip(_XML_BLANKS)
    if len(element) or not text:
        raise InvalidXml(f"The element {name} holds no text alone; text was expected.")
    return text


def answer_in(
    schema: str, request: Request, lookup: Lookup, now: datetime, write: Callable[[Account, Found], bytes]
) -> Reply | None:
    """The reply to a POST that asks for ``schema``, with the document that ``write`` makes of a configured domain.

    None where the client asks for another schema, which another format may know.
    """
    try:
        question = read_question(request.body)
    except InvalidInput:
        return fault_reply(Fault.INVALID_REQUEST, now)
    if question.schema != schema:
        return None
    found = lookup(question.account.domain)
    if found is None:
        return fault_reply(Fault.NOT_FOUND, now)
    return Reply(status=200, body=write(question.account, found), media_type=MEDIA_TYPE)


def refuse(request: Request, now: datetime) -> Reply:  # noqa: ARG001  # the signature of Discovery.refuse
    """The reply to a request that no format on this path has understood: nobody here speaks its response schema."""
    return fault_reply(Fault.NO_PROVIDER, now)


def fault_reply(fault: Fault, now: datetime, *, status: int = 200) -> Reply:
    """The error element of the protocol; its HTTP status is 200 to whoever spoke the protocol."""
    code, message, hint = fault.value
    error = node(
        "Error",
        node("ErrorCode", code),
        node("Message", message),
        node("DebugData", hint),
        Time=f"{now:%H:%M:%S.%f}0",  # [MS-ASCMD] 2.2.3.63: always to seven decimal places
        Id=_SERVER_ID,
    )
    return Reply(status=status, body=_write(node("Response", error)), media_type=MEDIA_TYPE)


def write_answer(schema: str, *content: Element) -> bytes:
    """An answer in the response schema ``schema``, inside the outer schema that all of them share."""
    return _write(node("Response", *content, xmlns=schema))


def _write(response: Element) -> bytes:
    return write_xml(node("Autodiscover", response, xmlns=_ANSWER))
