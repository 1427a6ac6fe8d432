"""JSON as every file of a set has it: UTF-8, lines that people compare, the same bytes for the same values."""

import json


def write_json(value: object) -> bytes:
    """``value``, its keys in the order that they have."""
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"
