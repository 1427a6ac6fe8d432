"""Compares operations on a machine that other programs disturb, and prints the comparison as one table.

Each operation runs in short slices that alternate with those of the operation it is compared with, and only this
process's own CPU time counts (clock_gettime, CLOCK_PROCESS_CPUTIME_ID). The ratio is the median over all rounds, so
that it survives another machine and a bad moment.

A benchmark is a module of this package with::

    def measure(seconds: float) -> list[Row]:
        return compare(Case("a known operation", known), Case("our operation", ours), seconds=seconds)
"""

import gc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from time import process_time

ROUNDS = 9  # odd, so that the median is one that was measured


@dataclass(frozen=True, slots=True)
class Case:
    """One operation and what the table calls it."""

    name: str
    run: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    operation: str
    per_second: float  # times per second of own CPU time
    beside: str  # what it is compared with; empty in that operation's own line
    ratio: float  # its rate divided by the other's: 2 means twice as fast
    lowest: float  # the ratio in the round that was worst for the operation
    highest: float
    waits: tuple[float, float] | None = (
        None  # seconds one waited for an answer: the median, and all but the longest 1 %
    )
    peak: float | None = None  # MiB that a process of its own took at most


def compare(beside: Case, *cases: Case, seconds: float) -> list[Row]:
    """Measure ``cases`` against ``beside``, each for about ``seconds`` of CPU time; one row each, ``beside`` first."""
    contestants = (beside, *cases)
    repeats = [_repeats(case.run, seconds / ROUNDS) for case in contestants]
    rounds: list[list[float]] = []
    for number in range(ROUNDS):
        rates = [0.0] * len(contestants)
        order = range(len(contestants))
        for index in order if number % 2 == 0 else reversed(order):
            rates[index] = repeats[index] / _cpu_time(contestants[index].run, repeats[index])
        rounds.append(rates)
    by_case = list(zip(*rounds, strict=True))
    return [_row(case, beside, rates, by_case[0]) for case, rates in zip(contestants, by_case, strict=True)]


def _row(case: Case, beside: Case, rates: Sequence[float], others: Sequence[float]) -> Row:
    ratios = [own / other for own, other in zip(rates, others, strict=True)]
    return Row(
        operation=case.name,
        per_second=median(rates),
        beside="" if case is beside else beside.name,
        ratio=median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
    )


def _repeats(run: Callable[[], object], seconds: float) -> int:
    """How often ``run`` fits into ``seconds``, at least once; also warms it up."""
    repeats = 1
    while (taken := _cpu_time(run, repeats)) < seconds / 4:
        repeats *= 2
    return max(1, round(repeats * seconds / taken))


def _cpu_time(run: Callable[[], object], repeats: int) -> float:
    """The process's own CPU time for ``repeats`` runs, in seconds, never zero; without garbage collection."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        start = process_time()
        for _ in range(repeats):
            run()
        return max(process_time() - start, 1e-9)
    finally:
        if collecting:
            gc.enable()


_HEADINGS = ("operation", "per CPU second", "p50 ms", "p99 ms", "peak MiB", "ratio", "(range)", "beside")


def table(rows: Iterable[Row]) -> str:
    """The rows as one table of aligned columns, without a final line break."""
    lines = [_HEADINGS, *(_cells(row) for row in rows)]
    lines = [*zip(*(column for column in zip(*lines, strict=True) if any(column[1:])), strict=True)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(_line(line, widths) for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    waits = [f"{wait * 1000:.1f}" for wait in row.waits] if row.waits else ["", ""]
    peak = f"{row.peak:.0f}" if row.peak is not None else ""
    cells = (row.operation, f"{row.per_second:,.0f}", *waits, peak)
    if not row.beside:
        return (*cells, "1", "", "")
    return (*cells, _ratio(row.ratio), f"({_ratio(row.lowest)}-{_ratio(row.highest)})", row.beside)


def _ratio(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    operation, *numbers, beside = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    aligned = (number.strip().rjust(len(number)) for number in numbers)
    return "  ".join((operation, *aligned, beside)).rstrip()
