"""The benchmarks' table: every row has its columns, and a column that nothing has is left out."""

from benchmarks.timing import Row, table

BARE = Row("bare", 2000.4, "", 1.0, 1.0, 1.0)


def test_a_table_has_no_column_that_nothing_stands_in() -> None:
    rows = [BARE, Row("ours", 1000, "bare", 0.5, 0.25, 0.75)]
    assert [
        "operation  per CPU second  ratio      (range)  beside",
        "---------  --------------  -----  -----------  ------",
        "bare                2,000      1",
        "ours                1,000    0.5  (0.25-0.75)  bare",
    ] == table(rows).splitlines()


def test_waits_and_memory_stand_in_columns_of_their_own() -> None:
    rows = [BARE, Row("ours", 1000, "bare", 0.5, 0.25, 0.75, waits=(0.001, 0.0125), peak=85.4)]
    header, _, bare, ours = table(rows).splitlines()
    assert ["operation", "per", "CPU", "second", "p50", "ms", "p99", "ms", "peak", "MiB"] == header.split()[:10]
    assert ["bare", "2,000", "1"] == bare.split()
    assert ["ours", "1,000", "1.0", "12.5", "85", "0.5", "(0.25-0.75)", "bare"] == ours.split()
