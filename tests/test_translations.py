"""The catalogues hold the texts of now, and a language that is offered lacks nothing: this fails, never a page."""

import re
import shutil
import subprocess
import sys
from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from provisioner.formats import FORMATS
from provisioner.texts import LANGUAGES
from provisioner.texts.languages import KNOWN
from provisioner.texts.system_names import system_names
from tests.checkout import CHECKOUT, MODULES
from tests.translating.catalogue import Catalogue, read, update
from tests.translating.files import TEXTS, begun, now, stale
from tests.translating.judge import SAME, problems
from tests.translating.messages import TEMPLATES, messages

FIRST_LANGUAGES = ["en", "de", "fr", "es", "ar"]
SYSTEM_NAME = re.compile(r'\b(?:os|system_name)\(\s*"([^"]+)",\s*"([^"]+)"')


@pytest.fixture(scope="module")
def template() -> Catalogue:
    return messages()


def test_the_catalogues_are_what_the_texts_and_translations_of_now_make() -> None:
    _, files = now()
    assert [] == stale(files), "run scripts/texts, and commit what it writes"


@pytest.mark.parametrize("tag", [tag for tag in LANGUAGES if tag != "en"])
def test_an_offered_language_lacks_nothing(tag: str) -> None:
    translated, _ = now()
    assert [] == list(problems(translated[tag]))


def test_the_languages_that_come_first_are_offered() -> None:
    assert FIRST_LANGUAGES == [*LANGUAGES][: len(FIRST_LANGUAGES)]


def test_a_language_whose_catalogue_is_begun_and_not_complete_is_not_offered() -> None:
    translated, _ = now()
    complete = [tag for tag, catalogue in translated.items() if not any(problems(catalogue))]
    assert ["en", *complete] == [*LANGUAGES]


def test_every_text_of_a_format_is_there_for_translators(template: Catalogue) -> None:
    declared = {text for fmt in FORMATS.values() for text in fmt.texts.values()}
    assert declared
    assert set() == {text for text in declared if text not in template}


def test_what_an_operating_system_calls_a_setting_is_a_fact_wherever_it_is_said() -> None:
    sources = {file: file.read_text(encoding="utf-8") for file in (*TEMPLATES, *MODULES)}
    for file, source in sources.items():
        said = SYSTEM_NAME.findall(source)
        assert file.suffix == ".py" or len(re.findall(r"\bos\(", source)) == len(said), f"{file}: two plain strings"
        assert [] == [pair for pair in said if pair not in system_names()], file


def _catalogue(locale: str, *, original: str = "Open %(app)s.", plural: str = "", **values: object) -> Catalogue:
    catalogue = Catalogue(locale)
    catalogue.add((original, plural) if plural else original, locations=[("templates/x.html", 1)], **values)  # type: ignore[arg-type]  # what babel's add takes
    return catalogue


GOOD = [
    _catalogue("de", string="%(app)s öffnen."),
    _catalogue("de", original="Port", string="Port", user_comments=[SAME]),
    _catalogue("de", original="All of it: 100%%", string="Alles: 100 %%"),
    _catalogue("de", original="<b>{organisation}</b>'s mail", string="Mail von <b>{organisation}</b>"),
    _catalogue("ja", original="%(num)s device", plural="%(num)s devices", string=("%(num)s台",)),
    _catalogue("fr", original="One device", plural="%(count)s devices", string=("Un appareil", "%(count)s appareils")),
    _catalogue(
        "ar",
        original="%(num)s device",
        plural="%(num)s devices",
        string=("لا أجهزة", "جهاز واحد", "جهازان", "%(num)s أجهزة", "%(num)s جهازًا", "%(num)s جهاز"),
    ),
]
BAD = {
    "no translation": (_catalogue("de"), "is not translated"),
    "an empty one": (_catalogue("de", string=""), "is not translated"),
    "a fuzzy one": (_catalogue("de", string="%(app)s öffnen.", flags=["fuzzy"]), "is marked fuzzy"),
    "English": (_catalogue("de", string="Open %(app)s."), "equals the English"),
    "a mark at what is not English": (_catalogue("de", string="%(app)s auf.", user_comments=[SAME]), "is not the same"),
    "a lost field": (_catalogue("de", string="Öffnen."), "the fields ['app'] were expected, not []"),
    "a renamed field": (_catalogue("de", string="%(anwendung)s öffnen."), "the fields ['app'] were expected"),
    "a field twice": (_catalogue("de", string="%(app)s, %(app)s."), "the fields ['app'] were expected"),
    "a lost tag": (_catalogue("de", original="<b>Go</b>", string="<b>Los"), "the markup ['</b>', '<b>'] were"),
    "a character reference": (_catalogue("de", string="%(app)s&nbsp;auf."), "the markup [] were expected, not ['&']"),
    "a lone percent sign": (_catalogue("de", original="Al%%l", string="100 %"), "a percent sign is written %%"),
    "a blank at the end": (_catalogue("de", string="%(app)s auf. "), "begins or ends with other blanks"),
    "another line": (_catalogue("de", string="%(app)s\nauf."), "has another number of lines"),
    "a missing plural form": (
        _catalogue("pl", original="%(num)s d", plural="%(num)s ds", string=("%(num)s u", "%(num)s u", "")),
        "lacks a plural form",
    ),
    "a number lost where the form stands for several": (
        _catalogue("uk", original="%(num)s d", plural="%(num)s ds", string=("п", "%(num)s п", "%(num)s п")),
        "the fields ['num'] were expected, not []",
    ),
}


@pytest.mark.parametrize("catalogue", GOOD, ids=lambda catalogue: str(catalogue.locale))
def test_a_good_translation_is_not_complained_about(catalogue: Catalogue) -> None:
    assert [] == list(problems(catalogue))


@pytest.mark.parametrize("case", [*BAD])
def test_a_bad_translation_is_found(case: str) -> None:
    catalogue, reason = BAD[case]
    (problem,) = problems(catalogue)
    assert problem.startswith(f"{catalogue.locale}: ")
    assert reason in problem


def test_a_translation_is_kept_for_exactly_its_message_and_with_the_translators_comment() -> None:
    template = Catalogue(None)
    template.add("Open it.", locations=[("templates/x.html", 3)])
    template.add("Open them.")
    translated = Catalog("de")
    translated.add("Open it.", "Öffnen Sie es.", user_comments=["formal"])
    translated.add("Open this.", "Öffnen Sie dies.")
    updated = update(template, "de", translated)
    assert [("Open it.", "Öffnen Sie es."), ("Open them.", None)] == [(m.id, m.string) for m in updated.entries()]
    assert ["formal"] == updated["Open it."].user_comments


def test_a_translation_whose_message_is_gone_waits_for_its_return(tmp_path: Path) -> None:
    whole = Catalogue(None)
    whole.add(("One card", "%(count)s cards"), locations=[("templates/x.html", 1)])
    whole.add("Server")
    whole.add("Never translated")
    translated = update(whole, "de", Catalog("de"))
    translated[("One card", "%(count)s cards")].string = ("Eine Karte", "%(count)s Karten")
    translated["Server"].string = "Server"
    translated["Server"].user_comments = [SAME]
    file = tmp_path / "provisioner.po"
    file.write_bytes(update(Catalogue(None), "de", translated).po())
    assert [] == list(update(Catalogue(None), "de", read(file)).entries())
    assert b"Never" not in file.read_bytes()
    assert b"Karte" not in update(Catalogue(None), "de", read(file)).mo()
    returned = update(whole, "de", read(file))
    assert ("Eine Karte", "%(count)s Karten") == returned[("One card", "%(count)s cards")].string
    assert ["'Never translated'"] == [problem.split(": ")[1] for problem in problems(returned)]


def test_a_catalogue_is_the_same_bytes_again_after_it_was_read_back(tmp_path: Path, template: Catalogue) -> None:
    first = update(template, "ar", Catalog("ar"))
    file = tmp_path / "provisioner.po"
    file.write_bytes(first.po())
    assert first.po() == update(template, "ar", read(file)).po()
    assert b"Date" not in first.po()


@pytest.mark.parametrize("tag", [tag for tag in KNOWN if tag != "en"])
def test_a_compiled_catalogue_counts_as_its_language_does(tag: str, tmp_path: Path) -> None:
    catalogue = Catalogue(tag.replace("-", "_"))
    forms = tuple(f"%(num)s {number}" for number in range(catalogue.num_plurals))
    catalogue.add(("%(num)s device", "%(num)s devices"), forms)
    file = tmp_path / "provisioner.mo"
    file.write_bytes(catalogue.mo())
    with file.open("rb") as opened:
        compiled = GNUTranslations(opened)
    used = {compiled.ngettext("%(num)s device", "%(num)s devices", number) for number in range(200)}
    assert set(forms) == used


def test_every_begun_catalogue_is_compiled() -> None:
    assert [*begun()] == [tag for tag in KNOWN if (TEXTS / tag.replace("-", "_") / "LC_MESSAGES").is_dir()]


def _texts(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.translating", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def test_the_check_says_that_everything_is_up_to_date_and_writes_nothing() -> None:
    checked = _texts("--check")
    assert 0 == checked.returncode, checked.stderr
    assert "out of date" not in checked.stderr


def test_a_language_nobody_knows_is_refused_with_those_there_are() -> None:
    refused = _texts("tlh")
    assert 2 == refused.returncode
    assert "pt-BR" in refused.stderr
    assert "not tlh" in refused.stderr


def test_what_is_out_of_date_is_named_and_written_again(tmp_path: Path) -> None:
    root = tmp_path / "texts"
    shutil.copytree(TEXTS, root)
    (root / "provisioner.pot").write_text("old")
    shutil.rmtree(root / "sv", ignore_errors=True)
    _, files = now(["sv"], root)
    begun_now = [root / "sv" / "LC_MESSAGES" / f"provisioner.{suffix}" for suffix in ("po", "mo")]
    assert {root / "provisioner.pot", *begun_now} <= {*stale(files)}
    for file in stale(files):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(files[file])
    assert [] == stale(now(root=root)[1])
