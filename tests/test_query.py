"""What stands after a question mark is read in one way or refused."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.errors import InvalidQuery, PasswordInQuery
from provisioner.query import parse_query

_NAMES = st.text(min_size=1).filter(lambda name: name.lower() not in {"password", "p"})
_TEXTS = st.text()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {}),
        ("&&", {}),
        ("emailaddress=anna%40contoso.example", {"emailaddress": "anna@contoso.example"}),
        ("EmailAddress=anna@contoso.example", {"emailaddress": "anna@contoso.example"}),
        ("Email=anna+phone@contoso.example", {"email": "anna phone@contoso.example"}),
        ("a=b=c", {"a": "b=c"}),
        ("a", {"a": ""}),
        ("=", {"": ""}),
        ("a=%C3%BC&b=\xc3\xbc", {"a": "ü", "b": "ü"}),
        ("a=%00%0d%0A", {"a": "\x00\r\n"}),
    ],
)
def test_parameters_are_known_by_their_names_in_lower_case(query: str, expected: dict[str, str]) -> None:
    assert expected == parse_query(query)


@pytest.mark.parametrize(
    "query", ["a=%ff", "a=\xff", "a=%", "a=%zz", "a=%4", "%c3=1", "a=1&a=2", "a=1&A=1", "a=%ed%a0%80", "a=ü", "a=€"]
)
def test_what_could_be_read_in_two_ways_is_refused(query: str) -> None:
    with pytest.raises(InvalidQuery):
        parse_query(query)


@pytest.mark.parametrize("query", ["password=hunter2", "p=hunter2", "PassWord=hunter2", "%70=hunter2", "a=1&P", "p="])
def test_a_password_is_refused_and_not_repeated(query: str) -> None:
    with pytest.raises(PasswordInQuery) as refusal:
        parse_query(query)
    assert "hunter2" not in str(refusal.value)


@given(st.dictionaries(_NAMES, _TEXTS).filter(lambda given: len({name.lower() for name in given}) == len(given)))
def test_whatever_a_client_encodes_arrives_as_it_was(parameters: dict[str, str]) -> None:
    assert {name.lower(): value for name, value in parameters.items()} == parse_query(urlencode(parameters))


@given(st.text(st.characters(max_codepoint=255)))
def test_any_octets_are_parameters_or_a_refusal(query: str) -> None:
    try:
        parse_query(query)
    except InvalidQuery:
        return
