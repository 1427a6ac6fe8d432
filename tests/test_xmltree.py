"""XML goes out escaped and comes in without trust."""

from xml.etree.ElementTree import ParseError, fromstring, tostring

import defusedxml.ElementTree
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.address import refuse_unwritable
from provisioner.errors import InvalidText, InvalidXml
from provisioner.xmltree import MAX_DEPTH, node, read_xml, split_name, write_xml


def test_a_document_has_a_declaration_and_no_byte_order_mark() -> None:
    content = write_xml(node("Autodiscover", node("Action", "settings"), xmlns="http://schema.example/2006"))
    assert (
        b'<?xml version="1.0" encoding="utf-8"?>\n'
        b'<Autodiscover xmlns="http://schema.example/2006"><Action>settings</Action></Autodiscover>'
    ) == content


def test_two_texts_in_one_element_follow_each_other() -> None:
    assert b"<a>bc</a>" == write_xml(node("a", "b", "c")).partition(b"\n")[2]


@given(text=st.text(), attribute=st.text())
def test_any_writable_text_arrives_as_it_is(text: str, attribute: str) -> None:
    try:
        refuse_unwritable(text + attribute)
    except InvalidText:
        return
    element = fromstring(write_xml(node("a", node("b", text), c=attribute)))  # our own output
    assert (text or None, attribute) == (element[0].text, element.get("c"))


@pytest.mark.parametrize(
    "content",
    [
        b"<a>\xc3\xa4</a>",
        b"\xef\xbb\xbf<a>\xc3\xa4</a>",
        "<?xml version='1.0' encoding='utf-16'?><a>ä</a>".encode("utf-16"),
        b"<?xml version='1.0' encoding='iso-8859-1'?><a>\xe4</a>",
        b"<a><![CDATA[\xc3\xa4]]></a>",
        b"<a>&#228;</a>",
        b"<!-- comment --><a><!-- comment -->\xc3\xa4</a>",
    ],
)
def test_a_request_is_read_in_any_encoding_and_spelling(content: bytes) -> None:
    assert "ä" == read_xml(content).text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   ",
        b"a",
        b"<a>",
        b"<a></b>",
        b"<a>\xff</a>",
        b"<a>&nbsp;</a>",
        b"<a>\x00</a>",
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "http://contoso.example/a.dtd"><a/>',
        b"\xef\xbb\xbf<!DOCTYPE a><a/>",
        "<!DOCTYPE a><a/>".encode("utf-16"),
        "<!DOCTYPE a><a/>".encode("utf-16-le"),
        "<?xml version='1.0' encoding='utf-16'?><!DOCTYPE a><a/>".encode("utf-16"),
        b"<?xml version='1.0' encoding='cp037'?><!DOCTYPE a><a/>",
        "<?xml version='1.0' encoding='cp037'?><!DOCTYPE a><a/>".encode("cp037"),
        "<!DOCTYPE a><a/>".encode("utf-32"),
        b"<?xml version='1.0' encoding='utf-7'?>" + "<!DOCTYPE a><a/>".encode("utf-7"),
        b"<?xml version='1.0' encoding='no-such-thing'?><a/>",
        b"<?xml version='1.0' encoding='utf-7'?><a/>",
        b"<a>" * 100_000,
    ],
)
def test_what_cannot_be_trusted_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidXml):
        read_xml(content)


def test_nesting_is_bounded() -> None:
    read_xml(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH)
    with pytest.raises(InvalidXml, match="32 deep"):
        read_xml(b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1))


_PIECES = st.sampled_from(
    [
        b"<a>",
        b"</a>",
        b"<b c='d'/>",
        b"&amp;",
        b"&x;",
        b"<!DOCTYPE a>",
        b"<!-- x -->",
        b"]]>",
        b"<?xml version='1.0'?>",
        b"\0",
    ]
)


@given(st.binary(max_size=200) | st.lists(_PIECES | st.binary(max_size=5), max_size=12).map(b"".join))
def test_any_bytes_are_read_or_refused_as_the_parser_that_refuses_all_dtds_does(content: bytes) -> None:
    try:
        expected = tostring(defusedxml.ElementTree.fromstring(content, forbid_dtd=True))
    except (ParseError, ValueError, LookupError):
        with pytest.raises(InvalidXml):
            read_xml(content)
    else:
        assert expected == tostring(read_xml(content))


def test_a_name_is_known_by_namespace_whatever_its_prefix() -> None:
    assert ("http://schema.example/", "a") == split_name(read_xml(b'<x:a xmlns:x="http://schema.example/"/>'))
    assert ("", "a") == split_name(read_xml(b"<a/>"))
