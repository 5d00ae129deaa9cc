"""JSON values as CEL values: durations, instants and bytes by the format of the schema, property names escaped."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from syncsource.localplane.admission.formats import parse_date, parse_date_time, parse_duration
from syncsource.localplane.admission.schema import Schema


class _Descriptor:
    def __init__(self, full_name: str) -> None:
        self.full_name = full_name


class Duration(dt.timedelta):
    """A timedelta that cel-expr-python takes for a CEL duration inside a map too, where it looks for a message's descriptor."""

    DESCRIPTOR = _Descriptor("google.protobuf.Duration")

    @classmethod
    def of(cls, value: dt.timedelta) -> Duration:
        return cls(value.days, value.seconds, value.microseconds)


class Timestamp(dt.datetime):
    """A datetime that cel-expr-python takes for a CEL timestamp inside a map too."""

    DESCRIPTOR = _Descriptor("google.protobuf.Timestamp")

    @classmethod
    def of(cls, value: dt.datetime) -> Timestamp:
        return cls.fromtimestamp(value.timestamp(), dt.UTC)


_KEYWORDS = frozenset(
    [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
_SPECIAL = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_INT64 = range(-(2**63), 2**63)


@lru_cache(maxsize=8192)
def escape(name: str) -> str:
    """A property's name as rules spell it (`cel.Escape`), for example `a-b` as `a__dash__b`."""
    if name in _KEYWORDS:
        return f"__{name}__"
    return re.sub(r"__|[./-]", lambda found: _SPECIAL[found[0]], name)


def is_accessible(name: str) -> bool:
    """Whether a rule can name the property at all."""
    return re.fullmatch(r"[A-Za-z_.\-/][A-Za-z0-9_.\-/]*", name) is not None


_BY_FORMAT: dict[str, Callable[[str], Any]] = {
    "duration": lambda text: Duration.of(parse_duration(text)),
    "date-time": lambda text: Timestamp.of(parse_date_time(text)),
    "date": lambda text: Timestamp.of(parse_date(text)),
    "byte": base64.b64decode,
}


def to_cel(value: Any, schema: Schema) -> Any:
    """`value` as an evaluation takes it; fields that rules can't see are left out."""
    if isinstance(value, dict):
        return _map(value, schema)
    if isinstance(value, list):
        items = schema.items or Schema()
        return [to_cel(item, items) for item in value]
    return _scalar(value, schema)


def _map(value: dict[str, Any], schema: Schema) -> dict[str, Any]:
    if not schema.properties:
        below = schema.additional or Schema()
        return {name: to_cel(item, below) for name, item in value.items()}
    return {
        escape(name): to_cel(value[name], below) for name, below in schema.properties.items() if name in value and value[name] is not None
    }


def _scalar(value: Any, schema: Schema) -> Any:
    if isinstance(value, str):
        return _by_format(value, schema.format) if schema.types == ("string",) else value
    if isinstance(value, bool) or value is None:
        return value
    if "number" in schema.types or (isinstance(value, int) and value not in _INT64):
        return float(value)
    return int(value) if schema.types == ("integer",) else value


def _by_format(text: str, name: str) -> Any:
    """Text that is not of its format stays text: only an old object that is not checked again has any."""
    convert = _BY_FORMAT.get(name)
    try:
        return convert(text) if convert else text
    except (ValueError, OverflowError):
        return text


def unescaped_keyword(name: str) -> str:
    """The keyword that an escaped name stands for, since rules may say it as it is too; empty for other names."""
    bare = name.strip("_")
    return bare if name == f"__{bare}__" and bare in _KEYWORDS - {"true", "false", "null", "in"} else ""
