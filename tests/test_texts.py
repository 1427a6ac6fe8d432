"""Texts, days and the systems' own names are in the reader's language, and fall back to the English they start from."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest
from babel.dates import format_date

from provisioner.errors import CatalogueError
from provisioner.texts import LANGUAGES, day, offered_language, system_name, translate, translations
from provisioner.texts.languages import KNOWN
from provisioner.texts.system_names import SYSTEM_NAMES_FILE, SystemName, read_system_names, system_names


@pytest.mark.parametrize("language", ["en", "en-GB", "xx", "", "de"])
def test_a_message_without_a_translation_stays_as_it_is(language: str) -> None:
    assert "{organisation} mail, unheard of" == translate(language)("{organisation} mail, unheard of")


def test_english_counts_without_a_catalogue() -> None:
    counted = translations("en").ngettext
    assert ("device", "devices") == (counted("device", "devices", 1), counted("device", "devices", 0))


def test_english_is_always_offered_and_the_first() -> None:
    assert "en" == next(iter(LANGUAGES))
    assert "en" == offered_language("xx-YY")


@pytest.mark.parametrize("tag", [*LANGUAGES])
def test_a_region_of_an_offered_language_is_read_in_that_language(tag: str) -> None:
    assert (tag, tag) == (offered_language(tag), offered_language(f"{tag}-001"))


@pytest.mark.parametrize("tag", [*KNOWN])
def test_a_day_is_written_as_the_unicode_locale_data_has_it(tag: str) -> None:
    locale = "en_GB" if tag == "en" else tag.replace("-", "_")
    days = [date(2026, 1, 1) + timedelta(days=5 * step) for step in range(73)] + [date(2028, 2, 29), date(1999, 12, 31)]
    assert [format_date(each, format="long", locale=locale) for each in days] == [day(each, tag) for each in days]


def test_a_day_in_a_region_or_an_unknown_language_is_written_all_the_same() -> None:
    assert ["9. Dezember 2026", "9 December 2026"] == [day(date(2026, 12, 9), tag) for tag in ("de-CH", "xx")]


def test_a_name_with_a_source_stands_alone_and_one_without_has_the_english_beside_it() -> None:
    sourced = SystemName("Profil geladen", "https://support.apple.com/de-de/102400", date(2026, 11, 25))
    assert "Profil geladen" == sourced.shown("Profile Downloaded")
    assert "Profil geladen (Profile Downloaded)" == SystemName("Profil geladen").shown("Profile Downloaded")
    assert "Mail" == SystemName("Mail").shown("Mail")


def test_a_system_name_follows_the_language_and_is_english_where_nobody_knows_it() -> None:
    german = system_names()["ios", "Settings"]["de"]
    assert german.shown("Settings") == system_name("ios", "Settings", "de-AT")
    assert ("Settings", "Settings") == (system_name("ios", "Settings", "en"), system_name("ios", "Settings", "xx"))


@pytest.mark.parametrize(("system", "english"), [("ios", "Setings"), ("windows-phone", "Settings")])
def test_a_name_that_is_no_fact_is_an_error(system: str, english: str) -> None:
    with pytest.raises(KeyError):
        system_name(system, english, "de")


GOOD = '[ios."Allow"]\nde = { name = "Zulassen", source = "https://support.apple.com/de-de", checked = 2026-11-25 }\n'
BROKEN: Mapping[str, tuple[str, str]] = {
    "no TOML": ("[ios", "is not TOML"),
    "a system that is no table": ("ios = 1", "ios: is no table"),
    "a term that is no table": ('ios."Allow" = "Zulassen"', "ios.Allow: is no table"),
    "an entry that is no table": ('[ios."Allow"]\nde = "Zulassen"', "ios.Allow.de: is no table"),
    "a language nobody reads here": (GOOD.replace("de =", "dee ="), "ios.Allow.dee: is no language of the pages"),
    "English, which is the term itself": (GOOD.replace("de =", "en ="), "ios.Allow.en: is no language of the pages"),
    "an unknown key": (GOOD.replace("checked", "cheked"), "holds 'cheked'. Did you mean 'checked'?"),
    "no name": (GOOD.replace('name = "Zulassen", ', ""), "needs a name"),
    "an empty name": (GOOD.replace("Zulassen", ""), "needs a name"),
    "blanks around the name": (GOOD.replace("Zulassen", "Zulassen "), "needs a name without blanks"),
    "a source that is no URL": (GOOD.replace("https://support.apple.com/de-de", "Apple"), "no https URL"),
    "a source without a date": (GOOD.replace(", checked = 2026-11-25", ""), "both a source and the date"),
    "a date without a source": (GOOD.replace('source = "https://support.apple.com/de-de", ', ""), "both a source and"),
    "a date in a string": (GOOD.replace("2026-11-25", '"2026-11-25"'), "both a source and the date"),
}


@pytest.mark.parametrize("case", [*BROKEN])
def test_a_file_of_names_that_breaks_a_rule_is_refused_with_the_place(case: str, tmp_path: Path) -> None:
    content, reason = BROKEN[case]
    file = tmp_path / "names.toml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(CatalogueError) as refused:
        read_system_names(file)
    assert str(file) == refused.value.file
    assert reason in str(refused.value)


def test_a_good_file_of_names_is_read(tmp_path: Path) -> None:
    file = tmp_path / "names.toml"
    file.write_text(GOOD, encoding="utf-8")
    expected = SystemName("Zulassen", "https://support.apple.com/de-de", date(2026, 11, 25))
    assert {("ios", "Allow"): {"de": expected}} == read_system_names(file)


def test_the_names_are_those_of_known_systems_in_order() -> None:
    languages = [[*KNOWN].index(tag) for named in system_names().values() for tag in named]
    assert languages, f"{SYSTEM_NAMES_FILE} holds names"
    for pair, named in system_names().items():
        assert [tag for tag in KNOWN if tag in named] == [*named], pair
