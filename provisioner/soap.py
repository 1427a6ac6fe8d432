"""SOAP messages: what a program asks in the body of one, and how an answer or a refusal is wrapped.

SOAP 1.1 (W3C Note of 8 May 2000), sections 4 and 4.4. The Action in the header of an answer is WS-Addressing 1.0 (W3C
Recommendation of 9 May 2006), section 3. Some of Microsoft's pages print the namespaces with https: both are read, http
is written.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

from provisioner.errors import InvalidXml
from provisioner.xmltree import node, read_xml, split_name, write_xml

MEDIA_TYPE = "text/xml; charset=utf-8"  # section 6; SOAP 1.2 has another one
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_ADDRESSING = "http://www.w3.org/2005/08/addressing"


class Message(NamedTuple):
    """A message that was read: what its header holds, and the one element of its body."""

    header: Element
    content: Element


def read_message(message: bytes) -> Message:
    """The parts of ``message``.

    Raises InvalidXml where it is no XML that we read, no SOAP 1.1 envelope, or has another number of elements in its
    body than one.
    """
    envelope = read_xml(message)
    contents = [content for body in find(envelope, ENVELOPE, "Body") for content in body]
    if not is_named(envelope, ENVELOPE, "Envelope") or len(contents) != 1:
        raise InvalidXml("A SOAP 1.1 envelope with one element in its body was expected.")
    headers = [entry for header in find(envelope, ENVELOPE, "Header") for entry in header]
    return Message(node("Header", *headers), contents[0])


def is_named(element: Element, namespace: str, name: str) -> bool:
    """Whether ``element`` has this name; its namespace may be written with https instead of http."""
    found_namespace, found_name = split_name(element)
    return (found_namespace.replace("https://", "http://", 1), found_name) == (namespace, name)


def find(parent: Element, namespace: str, *path: str) -> list[Element]:
    """The elements below ``parent`` that ``path`` leads to, one name for each level; ``parent`` for an empty one."""
    level = [parent]
    for name in path:
        level = [child for element in level for child in element if is_named(child, namespace, name)]
    return level


def text_of(elements: Sequence[Element]) -> str:
    """The text of the one element, without blanks around it; "" for none or several."""
    return (elements[0].text or "").strip() if len(elements) == 1 else ""


def write_message(content: Element, *, action: str, header: Iterable[Element] = ()) -> bytes:
    """A message that says ``content`` as the answer named ``action``."""
    addressed = node("a:Action", action, **{"s:mustUnderstand": "1"})
    return _write(node("s:Header", addressed, *header), node("s:Body", content), **{"xmlns:a": _ADDRESSING})


def write_fault(reason: str) -> bytes:
    """A message that refuses what the client sent, for ``reason`` (English)."""
    fault = node("s:Fault", node("faultcode", "s:Client"), node("faultstring", reason, **{"xml:lang": "en"}))
    return _write(node("s:Body", fault))


def _write(*parts: Element, **namespaces: str) -> bytes:
    return write_xml(node("s:Envelope", *parts, **{"xmlns:s": ENVELOPE}, **namespaces))
