"""Whom the page speaks to decides its language: what they picked, what their browser says, what their company uses."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from werkzeug.test import EnvironBuilder

from provisioner.organisation import Organisation
from provisioner.texts import LANGUAGES
from provisioner.web.languages import Reading, here, read_by
from tests.samples import CONTOSO
from tests.websites import PUBLIC_URL, Website, make_website


@pytest.fixture(scope="module")
def website(tmp_path_factory: pytest.TempPathFactory) -> Website:
    return make_website(tmp_path_factory.mktemp("store"))


@contextmanager
def _asked(website: Website, path: str, accept: str = "") -> Iterator[None]:
    builder = EnvironBuilder(path, base_url=PUBLIC_URL, headers=[("Accept-Language", accept)])
    with website.web.request_context(builder.get_environ()):
        yield


def _read(website: Website, organisation: Organisation | None, path: str = "/", accept: str = "") -> Reading:
    with _asked(website, path, accept):
        return read_by(organisation)


@pytest.mark.parametrize("languages", [(), ("en",), ("en", "de"), ("tlh",)])
@pytest.mark.parametrize(
    ("path", "accept"), [("/", ""), ("/?lang=en", "fr"), ("/?lang=tlh", "tlh;q=0.1"), ("/", "en-GB")]
)
def test_a_language_that_is_not_offered_is_never_chosen(
    website: Website, languages: tuple[str, ...], path: str, accept: str
) -> None:
    reading = _read(website, replace(CONTOSO, languages=languages), path, accept)
    offered = {tag for tag in languages or LANGUAGES if tag in LANGUAGES} or {"en"}
    assert offered == {language.tag for language in reading.offered}
    assert reading.language in reading.offered


def test_english_stands_where_nobody_names_a_language(website: Website) -> None:
    assert "en" == _read(website, CONTOSO).language.tag
    assert "en" == _read(website, None).language.tag
    assert "en" == _read(website, replace(CONTOSO, languages=("tlh",))).language.tag


@pytest.mark.parametrize("first", LANGUAGES)
def test_the_organisations_first_language_stands_where_nobody_says_another(website: Website, first: str) -> None:
    organisation = replace(CONTOSO, languages=(first, *LANGUAGES))
    assert first == _read(website, organisation).language.tag


@pytest.mark.parametrize("tag", LANGUAGES)
def test_what_a_person_picks_goes_before_what_their_browser_says(website: Website, tag: str) -> None:
    assert tag == _read(website, CONTOSO, f"/?lang={tag}", accept="en").language.tag
    assert tag == _read(website, CONTOSO, accept=tag).language.tag


def test_what_else_was_chosen_stays_chosen(website: Website) -> None:
    with _asked(website, "/s/x?device=mac&lang=en"):
        assert "?device=ipad&lang=en" == here(device="ipad")
        assert "?device=mac&lang=en" == here(lang="en")
    with _asked(website, "/s/x?device=toaster&lang=tlh"):
        assert "" == here()
