"""How fast it is, as ratios to something known, measured in one run: ``benchmarks/run`` prints one table.

A new benchmark is one new file here with ``def measure(seconds: float) -> list[Row]``; see ``timing``.
"""
