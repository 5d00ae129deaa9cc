"""The types of fields: what values a type takes, and what it makes of them. Exact, or a ValueError that says why not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import partial
from itertools import repeat
from math import isfinite
from operator import attrgetter, itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from syncsource.records.columns import FieldType, Texts, Unusual, Written, all_match, as_they_are, each, kinds, plain_numerals
from syncsource.records.converting import (
    FALSE,
    TRUE,
    to_boolean,
    to_bytes,
    to_date,
    to_decimal,
    to_float,
    to_integer,
    to_json,
    to_text,
    to_time,
    to_timestamp,
    to_uuid,
)
from syncsource.records.formats import formatted
from syncsource.records.numerals import separated
from syncsource.resource.fields import FieldSpec

__all__ = ["FieldType", "declared_type", "field_type", "to_decimal", "to_json"]


def declared_type(spec: FieldSpec) -> FieldType:
    """The type of a spec.field, with all that it says of how values are written."""
    if spec.formats:
        return formatted(spec.type, spec.formats, _zone(spec.time_zone))
    if spec.decimal_separator or spec.thousands_separator:
        return separated(field_type(spec.type), spec.decimal_separator, spec.thousands_separator)
    if spec.type == "boolean" and (spec.true_words or spec.false_words):
        return _boolean_type(spec.true_words or TRUE, spec.false_words or FALSE)
    if spec.type == "bytes":
        return _bytes_type(spec.encoding or "base64")
    return field_type(spec.type, spec.time_zone)


def field_type(name: str, time_zone: str | None = None) -> FieldType:
    """The type of this name, its values written as JSON and ISO 8601 have them. ``time_zone``: of timestamps that name none (None: UTC)."""
    if name.startswith("decimal("):
        precision, scale = map(int, name[8:-1].split(","))
        return _decimal_type(name, precision, scale)
    if name == "timestamp":
        zone = _zone(time_zone)
        return FieldType(name, partial(to_timestamp, zone=zone), partial(_timestamps, zone=zone))
    return _PLAIN[name]


def _zone(name: str | None) -> tzinfo:
    return ZoneInfo(name) if name and name != "UTC" else UTC


def _decimal_type(name: str, precision: int, scale: int) -> FieldType:
    exact = Context(prec=precision, traps=[Inexact, InvalidOperation])
    step = Decimal(1).scaleb(-scale)
    typical = re.compile(rf"(?:(?:-(?!0*\.0*\n))?[0-9]{{1,{precision - scale}}}\.[0-9]{{{scale}}}\n)*+") if 0 < scale < precision else None

    def bulk(values: list[Any]) -> Sequence[Any]:
        found = kinds(values)
        if found == {str}:
            if typical is not None and all_match(typical, values):
                return Written(values, Decimal)
            values = list(map(Decimal, plain_numerals(values)))
        elif not found <= {Decimal, int}:
            raise Unusual
        elif typical is not None and all_match(
            typical, texts := list(map(str, values))
        ):  # and so they need no rounding, and no second look
            return Written(texts, Decimal, values)
        return list(map(exact.plus, map(exact.quantize, values, repeat(step))))

    return FieldType(name, partial(to_decimal, precision=precision, scale=scale), bulk)


def _boolean_type(true: Sequence[str], false: Sequence[str]) -> FieldType:
    words = {word.strip().lower(): False for word in false} | {word.strip().lower(): True for word in true}
    forms = {form: meaning for word, meaning in words.items() for form in (word, word.upper(), word.capitalize())}
    look = forms.__getitem__
    return FieldType("boolean", partial(to_boolean, words=words), as_they_are(bool, lambda values: list(map(look, values))))


def _bytes_type(encoding: str) -> FieldType:
    convert = partial(to_bytes, encoding=encoding)
    return FieldType("bytes", convert, each(convert))


def _texts(values: list[Any]) -> list[Any]:
    if "\x00" in "".join(values):  # a TypeError where one is no text
        raise Unusual
    return values if type(values) is Texts else Texts(values)


def _integers(values: list[str]) -> Sequence[int]:
    return Written(values, int) if all_match(_INTEGERS, values) else list(map(int, plain_numerals(values)))


_INTEGERS = re.compile(r"(?:(?:0|-?[1-9][0-9]{0,17})\n)*+")


def _floats(values: list[Any]) -> list[float]:
    found = kinds(values)
    if found == {str}:
        plain_numerals(values)
    elif not found <= {Decimal, int}:
        raise Unusual
    made = list(map(float, values))
    if not all(map(isfinite, made)) or 0.0 in made:  # of a zero, only the value tells whether it was too small
        raise Unusual
    return made


def _dates(values: list[Any]) -> list[date]:
    joined = "".join(values)
    if "W" in joined or set(map(len, values)) != {10}:  # forms of ISO 8601 that nobody means
        raise Unusual
    return list(map(date.fromisoformat, values))


def _timestamps(values: list[Any], zone: tzinfo) -> list[Any]:
    longest = max(map(len, values), default=0)
    if longest > 26:  # fromisoformat would drop a seventh decimal
        raise Unusual
    if longest > 22 and set(map(_SEPARATORS, values)) != {("-", "-", ":")}:  # so it would in ISO 8601's shorter forms
        raise Unusual
    moments = list(map(datetime.fromisoformat, values))
    if "".join(values).count("Z") == len(values):  # it ends each of them
        return moments
    zones = set(map(attrgetter("tzinfo"), moments))
    if zones == {UTC}:
        return moments
    if None in zones:
        moments = [moment if moment.tzinfo else moment.replace(tzinfo=zone) for moment in moments]
    return [moment.astimezone(UTC) for moment in moments]


_SEPARATORS = itemgetter(4, 7, 13)

_PLAIN = {
    kind.name: kind
    for kind in (
        FieldType("text", to_text, _texts),
        FieldType("integer", to_integer, as_they_are(int, _integers)),
        FieldType("float", to_float, _floats),
        _boolean_type(TRUE, FALSE),
        FieldType("date", to_date, _dates),
        FieldType("time", to_time, each(to_time)),
        FieldType("json", to_json, each(to_json)),
        FieldType("uuid", to_uuid, each(to_uuid)),
        _bytes_type("base64"),
    )
}
