"""How an organisation looks and speaks: pictures, colours, texts by language, and who an MDM's variables stand for."""

import dataclasses

import pytest

from provisioner.errors import InvalidDomain, InvalidSetting
from provisioner.format import Variables
from provisioner.organisation import Logo
from tests.samples import CONTOSO

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"


def test_a_logo_says_what_kind_of_picture_it_is() -> None:
    assert "image/png" == Logo(PNG).media_type
    assert "image/jpeg" == Logo(JPEG).media_type


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "neither a PNG nor a JPEG"), (b"<svg/>", "neither a PNG nor a JPEG"), (PNG + bytes(65536), "64 KiB")],
)
def test_what_is_no_small_picture_is_no_logo(content: bytes, reason: str) -> None:
    with pytest.raises(InvalidSetting, match=reason):
        Logo(content)


def test_a_text_is_in_the_readers_language_where_there_is_one() -> None:
    spoken = dataclasses.replace(
        CONTOSO,
        help_text="Ask us",
        help_texts={"de": "Fragen Sie uns"},
        consent_text="Agreed?",
        consent_texts={"de": "Einverstanden?"},
    )
    assert ["Fragen Sie uns", "Ask us"] == [spoken.help_in("de"), spoken.help_in("fr")]
    assert ["Einverstanden?", "Agreed?"] == [spoken.consent_in("de"), spoken.consent_in("fr")]


@pytest.mark.parametrize("value", [1.5, None, [], {}])
def test_an_outlook_setting_of_no_kind_that_apps_take_is_refused(value: object) -> None:
    with pytest.raises(InvalidSetting, match=r"Mail\.Focused is neither a text"):
        dataclasses.replace(CONTOSO, outlook={"Mail.Focused": value})  # type: ignore[dict-item]  # as a file has it


@pytest.mark.parametrize("colour", ["blue", "#fff", "#12345g", "#1234567"])
def test_a_colour_is_written_in_one_way(colour: str) -> None:
    with pytest.raises(InvalidSetting, match="accent colour"):
        dataclasses.replace(CONTOSO, accent_colour=colour)
    assert "#0b57d0" == dataclasses.replace(CONTOSO, accent_colour=" #0B57D0 ").accent_colour


def test_variables_stand_for_everybody_of_a_domain() -> None:
    everybody = Variables("Contoso.Example", address="{{mail}}", username="{{upn}}")
    assert "contoso.example" == everybody.domain
    assert "*@contoso.example" == everybody.key
    assert "{{mail}}" == everybody.shown_name
    assert "{{name}}" == dataclasses.replace(everybody, display_name="{{name}}").shown_name
    with pytest.raises(InvalidDomain):
        Variables("contoso", address="{{mail}}", username="{{upn}}")
