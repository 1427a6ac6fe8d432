"""Runs the benchmarks of this directory, all or the named ones, and prints one table (``benchmarks/run --help``)."""

import argparse
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.timing import Row, table

_NOT_BENCHMARKS = {"__init__", "__main__", "serving", "timing"}


def _names() -> list[str]:
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in _NOT_BENCHMARKS)


def main() -> None:
    """Measure and print; progress goes to standard error, the table to standard output."""
    parser = argparse.ArgumentParser(prog="benchmarks/run", description="Print one table of measured ratios.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these of: {', '.join(_names())}")
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU seconds per operation (default: 1)")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(_names()):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(_names())}")
    if arguments.seconds <= 0:
        parser.error("--seconds must be more than 0")
    rows: list[Row] = []
    for name in arguments.names or _names():
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        rows.extend(import_module(f"benchmarks.{name}").measure(arguments.seconds))
    print(table(rows))


if __name__ == "__main__":
    main()
