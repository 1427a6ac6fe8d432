"""Help is one tap away: what one can write to or call becomes a link, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.web.contact import Part, contact_parts

CONTACTS = {
    "help@contoso.example": {"help@contoso.example": "mailto:help@contoso.example"},
    "IT help desk, help@contoso.example, +1 (425) 555-0100": {
        "help@contoso.example": "mailto:help@contoso.example",
        "+1 (425) 555-0100": "tel:+14255550100",
    },
    "Anna <o'neil+it@contoso.example>": {"o'neil+it@contoso.example": "mailto:o%27neil%2Bit@contoso.example"},
    "+49 (0) 30 123456": {"+49 (0) 30 123456": "tel:+4930123456"},
    "Berlin: +49(0)30/123456": {"+49(0)30/123456": "tel:+4930123456"},
    "0049 (0)30 123456": {"0049 (0)30 123456": "tel:004930123456"},
    "Call (425) 555-0100": {"(425) 555-0100": "tel:4255550100"},
    "Paris +33 1 23 45 67 89": {"+33 1 23 45 67 89": "tel:+33123456789"},
    "01.23.45.67.89": {"01.23.45.67.89": "tel:0123456789"},
    "1-800-555-0100": {"1-800-555-0100": "tel:18005550100"},
    "030 1234567, since 2026-11-23": {"030 1234567": "tel:0301234567"},
    "5550100": {"5550100": "tel:5550100"},
    "Extension 4711, open 24/7": {},
    "Valid from 2026-11-23": {},
    "23.11.2026, 11/23/2026 or 23.11.26": {},
    "20261123": {},
    "2024-2026": {},
    "Mon to Fri 08.00-17.00": {},
    "Version 5.5.5.5.5": {},
    "Outlook 16.89.24091630": {},
    "Server 192.0.2.10 or 192.168.100.200": {},
    "Room 10.234, 10115 Berlin": {},
    "Open 24/7/365": {},
    "Dial 55 66 77": {"55 66 77": "tel:556677"},
    "Room 12 @ the IT floor": {},
    "a@@b, @contoso.example, anna@": {},
    "1234567890123456": {},
    "": {},
}


@pytest.mark.parametrize(("contact", "links"), CONTACTS.items(), ids=str)
def test_addresses_and_numbers_can_be_tapped(contact: str, links: dict[str, str]) -> None:
    assert links == {part.text: part.href for part in contact_parts(contact) if part.href}


@given(st.text(max_size=100) | st.text("a@.+0 ()/-,<>", max_size=100))
def test_nothing_of_the_contact_is_lost_or_added(contact: str) -> None:
    assert contact == "".join(part.text for part in contact_parts(contact))


@given(st.text("a@.+0123 ()/-:?&%\"'<>", max_size=100))
def test_a_link_only_writes_or_calls(contact: str) -> None:
    for part in contact_parts(contact):
        assert part.href.startswith(("mailto:", "tel:")) or part.href == ""
        assert not set(part.href) & set("\"'<>? &")


def test_the_words_around_stay_in_their_order() -> None:
    expected = [Part("Call ", ""), Part("0123 456789", "tel:0123456789"), Part(" now", "")]
    assert expected == contact_parts("Call 0123 456789 now")
