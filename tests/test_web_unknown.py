"""An administrator sees which unknown names are asked for, and a flood of them costs nothing."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from provisioner.web.unknown import MAX_LINES, MAX_NAMES, OTHER, PERIOD, UnknownNames
from tests.websites import Clock


class Strangers:
    """Ask for unknown domains; what was counted, and what the log said."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.clock = Clock()
        self._unknown = UnknownNames("domain", count=self._count, clock=self.clock)

    def _count(self, name: str) -> None:
        self.counted[name] += 1

    def ask(self, *names: str) -> list[str]:
        """The names that the log said."""
        with capture_logs() as log:
            for name in names:
                self._unknown(name)
        assert {"unknown_domain"} >= {event["event"] for event in log}
        return [event["domain"] for event in log]


def test_a_name_is_said_when_it_is_new_and_counted_each_time() -> None:
    strangers = Strangers()
    assert ["fabrikam.example"] == strangers.ask("fabrikam.example", "fabrikam.example")
    assert ["tailspin.example"] == strangers.ask("fabrikam.example", "tailspin.example")
    assert {"fabrikam.example": 3, "tailspin.example": 1} == strangers.counted


def test_a_name_is_said_again_after_an_hour_and_not_before() -> None:
    strangers = Strangers()
    strangers.ask("fabrikam.example")
    strangers.clock.turn(PERIOD - timedelta(seconds=1))
    assert [] == strangers.ask("fabrikam.example")
    strangers.clock.turn(timedelta(seconds=1))
    assert ["fabrikam.example"] == strangers.ask("fabrikam.example", "fabrikam.example")
    assert timedelta(hours=1) == PERIOD


def test_a_flood_of_names_is_a_bounded_number_of_lines_and_of_counters() -> None:
    strangers = Strangers()
    flood = [f"{number}.example" for number in range(1000)]
    assert MAX_LINES == len(strangers.ask(*flood)) == 100
    assert MAX_NAMES + 1 == len(strangers.counted) == 101
    assert 1000 - MAX_NAMES == strangers.counted[OTHER]
    assert [] == strangers.ask("new.example")
    strangers.clock.turn(PERIOD)
    assert ["new.example"] == strangers.ask("new.example")
    assert 1000 - MAX_NAMES + 2 == strangers.counted[OTHER]
    strangers.ask("7.example")
    assert 2 == strangers.counted["7.example"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a b\nc=d", "invalid"),
        ("\x1b[31m", "invalid"),
        ("anna@contoso.example", "invalid"),
        ("hg43bj6iabcdefghijklmnop", "invalid"),
        ("x" * 300, "invalid"),
        ("straße.example", "xn--strae-oqa.example"),
        ("[2001:db8::1]", "2001:db8::1"),
    ],
)
def test_only_what_can_be_a_host_is_named_neither_an_address_nor_a_token(name: str, said: str) -> None:
    assert [said] == Strangers().ask(name)


@given(st.text())
def test_whatever_the_name_the_line_is_printable_and_short(name: str) -> None:
    (said,) = Strangers().ask(name)
    assert len(said) <= 253
    assert said.isascii()
    assert said.isprintable()
    assert " " not in said
