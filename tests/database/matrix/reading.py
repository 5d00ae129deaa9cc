"""Values as somebody else reads them, and what they mean: equal where nobody could tell them apart by what the field's type says."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from tests.database.matrix.columns import Kind

_TEXTUAL = re.compile(r"char|text|enum|json")
_MOST = 3.4028235677973366e38
"""What rounds to more than a number of four bytes holds."""
_BINARY = re.compile(r"bytea|binary|blob")


def expression(database: str, kind: Kind) -> str:
    """What to select: the value as text, or as bytes in hex, where the driver might make something else of it."""
    if database == "sqlite":
        return "v"
    if _BINARY.search(kind.declared):
        return "encode(v, 'hex')" if database == "postgresql" else "hex(v)"
    if database == "postgresql":
        return "(v AT TIME ZONE 'UTC')::text" if kind.declared.startswith("timestamptz") else "v::text"
    if _TEXTUAL.match(re.sub(r"^(var|tiny|medium|long)", "", kind.declared)):
        return "hex(CONVERT(v USING utf8mb4))"
    return "CAST(v AS DOUBLE)" if kind.declared.startswith(("float", "double")) else "CAST(v AS CHAR)"


def seen(database: str, kind: Kind, field_type: str, found: Any) -> Any:
    """What a value that was read means."""
    if found is None:
        return None
    if expression(database, kind).startswith(("hex", "encode")):
        found = bytes.fromhex(found)
        found = found if field_type == "bytes" else found.decode()
    return _meaning(kind, field_type, found)


def meant(kind: Kind, field_type: str, given: Any) -> Any:
    """What a value that was written means."""
    if given is None:
        return None
    if field_type == "text" and given in kind.also:
        return kind.also[given]
    return _meaning(kind, field_type, given)


def written(database: str, value: Any) -> Any:
    """A value as somebody else might write it."""
    if database == "sqlite" and isinstance(value, int):
        return value
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f").rjust(26, "0")
    return f"{value:f}" if isinstance(value, Decimal) else value if isinstance(value, (str, bytes)) else str(value)


def _meaning(kind: Kind, field_type: str, value: Any) -> Any:
    if field_type == "text":
        assert isinstance(value, str)
        return value.rstrip(" ") if kind.padded else value
    if field_type == "float" and kind.single:
        held = struct.unpack("f", struct.pack("f", float(value)))[0] if abs(float(value)) < _MOST else value
        return held or float(value)
    if field_type == "float" and kind.declared.startswith("double"):
        return float(value)
    if kind.single and isinstance(value, float):  # six digits are what it holds
        return Decimal(f"{value:.6g}")
    return _MEANINGS[field_type.partition("(")[0]](value)


def _number(value: Any) -> Decimal:
    return Decimal(repr(value) if isinstance(value, float) else value)


def _date(value: Any) -> date:
    if type(value) is date:
        return value
    assert value[10:].strip(" 0:.") == ""
    return date.fromisoformat(value[:10])


def _instant(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _tree(value: Any) -> Any:
    """Structure, numbers by value; 1, true and "1" are three things."""
    if isinstance(value, dict):
        return "object", {name: _tree(one) for name, one in value.items()}
    if isinstance(value, list):
        return "list", [_tree(one) for one in value]
    return ("number", value) if isinstance(value, Decimal) else (type(value).__name__, value)


_MEANINGS: dict[str, Callable[[Any], Any]] = {
    "integer": _number,
    "decimal": _number,
    "float": _number,
    "boolean": lambda value: {"true": True, "false": False, "1": True, "0": False}[str(int(value) if value in (0, 1) else value)],
    "date": _date,
    "time": time.fromisoformat,
    "timestamp": _instant,
    "json": lambda value: _tree(json.loads(value, parse_float=Decimal, parse_int=Decimal)),
    "uuid": str,
    "bytes": bytes,
}
