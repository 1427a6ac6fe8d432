"""XML as trees: what we write is escaped by construction, and what strangers send is read without trusting it.

Written: XML 1.0 in UTF-8 with its declaration, without a byte-order mark and without padding (mail clients reject
both). Read: any encoding expat knows, no document type declaration (it is how entity bombs and external entities come
in), nesting bounded.
"""

from xml.etree.ElementTree import Element, ParseError, fromstring, tostring

import defusedxml.ElementTree

from provisioner.errors import InvalidXml

MAX_DEPTH = 32  # elements within elements; the deepest real request (SOAP Autodiscover) has seven
_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>\n'


def node(name: str, *content: "str | Element", **attributes: str) -> Element:
    """An element with text or child elements. An ``xmlns`` attribute is its default namespace."""
    element = Element(name, attributes)
    for part in content:
        if isinstance(part, str):
            element.text = (element.text or "") + part
        else:
            element.append(part)
    return element


def write_xml(root: Element) -> bytes:
    """``root`` as a document. The texts in it must have passed ``address.refuse_unwritable``."""
    return _DECLARATION + str(tostring(root, encoding="unicode")).encode()


def read_xml(content: bytes) -> Element:
    """The root element of ``content``. Raises InvalidXml where it is malformed, has a DOCTYPE or nests too deeply."""
    try:
        root = _parse(content)
    except (ParseError, ValueError, LookupError):
        # ValueError: defusedxml's refusals and undecodable bytes; LookupError: an encoding nobody knows.
        raise InvalidXml("The body is not well-formed XML without a document type declaration.") from None
    _refuse_deep(root)
    return root


def _parse(content: bytes) -> Element:
    # Only what may declare a document type needs the parser that refuses one; the other is three times as fast. The
    # words stand there in ASCII in every encoding that expat takes, but for UTF-16, where each holds a zero octet.
    if b"<!DOCTYPE" in content or b"\0" in content:
        return defusedxml.ElementTree.fromstring(content, forbid_dtd=True)
    return fromstring(content)  # noqa: S314  # there is no DTD in it


def _refuse_deep(root: Element) -> None:
    level, depth = [root], 1
    while level:
        if depth > MAX_DEPTH:
            raise InvalidXml(f"The body nests elements more than {MAX_DEPTH} deep.")
        level = [child for element in level for child in element]
        depth += 1


def split_name(element: Element) -> tuple[str, str]:
    """The namespace ("" for none) and the local name of an element."""
    namespace, _, name = element.tag.rpartition("}")
    return namespace.removeprefix("{"), name
