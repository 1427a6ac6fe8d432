"""Whom the page speaks to decides its language: what they picked, what their browser says, what their company uses."""

from dataclasses import replace

import pytest
from flask import Flask

from provisioner.texts import LANGUAGES
from provisioner.web.language import chosen_language
from tests.samples import CONTOSO


@pytest.mark.parametrize("languages", [(), ("en",), ("en", "de"), ("tlh",)])
@pytest.mark.parametrize(
    ("path", "accept"), [("/", ""), ("/?lang=en", "fr"), ("/?lang=tlh", "tlh;q=0.1"), ("/", "en-GB")]
)
def test_a_language_that_is_not_offered_is_never_chosen(languages: tuple[str, ...], path: str, accept: str) -> None:
    organisation = replace(CONTOSO, languages=languages)
    offered = {tag for tag in languages or LANGUAGES if tag in LANGUAGES} or {"en"}
    with Flask(__name__).test_request_context(path, headers={"Accept-Language": accept}):
        assert chosen_language(organisation) in offered
        assert chosen_language(None) in LANGUAGES


def test_english_stands_for_an_organisation_that_names_no_language() -> None:
    with Flask(__name__).test_request_context("/"):
        assert "en" == chosen_language(CONTOSO)
        assert "en" == chosen_language(None)


@pytest.mark.parametrize("first", LANGUAGES)
def test_the_organisations_first_language_stands_where_nobody_says_another(first: str) -> None:
    organisation = replace(CONTOSO, languages=(first, *LANGUAGES))
    with Flask(__name__).test_request_context("/"):
        assert first == chosen_language(organisation)


@pytest.mark.parametrize("tag", LANGUAGES)
def test_what_a_person_picks_goes_before_what_their_browser_says(tag: str) -> None:
    with Flask(__name__).test_request_context(f"/?lang={tag}", headers={"Accept-Language": "en"}):
        assert tag == chosen_language(CONTOSO)
    with Flask(__name__).test_request_context("/", headers={"Accept-Language": tag}):
        assert tag == chosen_language(CONTOSO)
