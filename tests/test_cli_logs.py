"""The log: one line for each event, as text or as JSON, with nothing in it that a stranger may not read."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from provisioner.cli.logs import start_log

TOKEN = "a-token-that-stands-in-no-log"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Puts back what a test has started."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def fail() -> None:
    token = TOKEN
    raise LookupError(len(token))


def test_text_is_one_line_of_names_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    start_log(level="info", form="text")
    structlog.get_logger("x").info("link_opened", domain="contoso.example", note="two words\nand two lines")
    said = capsys.readouterr()
    assert "" == said.out
    (line,) = said.err.splitlines()
    assert line.startswith("timestamp=20")
    assert line.endswith('level=info event=link_opened domain=contoso.example note="two words\\nand two lines"')


def test_json_is_one_document_for_each_line(capsys: pytest.CaptureFixture[str]) -> None:
    start_log(level="info", form="json")
    structlog.get_logger("x").warning("store_slow", milliseconds=12)
    logging.getLogger("a.library").error("what %s says", "a library")
    entries: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [("store_slow", "warning"), ("what a library says", "error")] == [
        (entry["event"], entry["level"]) for entry in entries
    ]
    assert 12 == entries[0]["milliseconds"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_stays_on_one_line_and_shows_no_variables(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    start_log(level="info", form=form)
    try:
        fail()
    except LookupError:
        structlog.get_logger("x").exception("unexpected_error")
        logging.getLogger("a.library").exception("unexpected")
    said = capsys.readouterr().err
    assert 2 == len(said.splitlines())
    assert 2 == said.count("LookupError: ")
    assert TOKEN not in said


def test_what_is_less_important_than_the_level_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    start_log(level="warning", form="text")
    structlog.get_logger("x").info("a")
    logging.getLogger("a.library").info("b")
    structlog.get_logger("x").warning("c")
    assert 1 == len(capsys.readouterr().err.splitlines())


def test_the_sign_in_library_quotes_no_answer_that_may_hold_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    start_log(level="debug", form="text")
    for name in ("msal", "msal.oauth2cli.oauth2"):
        logging.getLogger(name).error("Token response is not in json format: %s", TOKEN)
    assert "" == capsys.readouterr().err


def test_the_database_library_tells_no_statements(capsys: pytest.CaptureFixture[str]) -> None:
    start_log(level="info", form="text")
    logging.getLogger("sqlalchemy.engine.Engine").info("SELECT address FROM invitations")
    assert "" == capsys.readouterr().err


def test_starting_the_log_twice_writes_no_line_twice(capsys: pytest.CaptureFixture[str]) -> None:
    start_log(level="info", form="text")
    start_log(level="info", form="text")
    structlog.get_logger("x").info("once")
    assert 1 == len(capsys.readouterr().err.splitlines())
