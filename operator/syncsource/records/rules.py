"""What values must be like: ``spec.validation.rules``. Looked at column by column, once they are typed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from syncsource.errors import StalledError, outside_text
from syncsource.records.columns import NONE
from syncsource.records.faults import EXCERPT, Faults
from syncsource.records.mapping import constant
from syncsource.resource.fields import FieldSpec
from syncsource.resource.types import expression
from syncsource.resource.validating import Rule

Check = Callable[[Sequence[Sequence[Any]], Faults], None]
"""Takes the columns of a page, and notes which records break the rule."""
_Test = tuple[Callable[[list[Any]], bool], Callable[[Any], bool], str]
"""Whether all of a column's values are right, at C speed; whether one is; what they must be."""


def check(rule: Rule, fields: Sequence[FieldSpec]) -> Check:
    """The rule as a function. StalledError where it is about no field, or its values have not the field's type."""
    place = next((place for place, field in enumerate(fields) if field.name == rule.field), None)
    if place is None:
        raise StalledError(f"spec.validation.rules: no field is named {rule.field!r}")
    tests = _tests(rule, fields[place])

    def look(columns: Sequence[Sequence[Any]], faults: Faults) -> None:
        values = list(columns[place])
        if rule.not_empty:
            _refuse(rule, values, _empty, "must not be empty", faults)
        present = [value for value in values if value is not None] if NONE in map(type, values) else values
        for all_right, right, wanted in tests:
            if present and not all_right(present):
                _refuse(rule, values, partial(_breaks, right), wanted, faults)

    return look


def text_of(value: Any) -> str:
    """A typed value as text: numbers digit for digit, instants as RFC 3339 in UTC, bytes as base64."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return value.isoformat() if isinstance(value, date) else str(value)


def _tests(rule: Rule, field: FieldSpec) -> list[_Test]:
    found: list[_Test] = []
    if rule.matches is not None:
        search = expression(rule.matches).search
        found.append((_never, lambda value: search(text_of(value)) is not None, f"must match {rule.matches}"))
    if rule.min is not None:
        least = _typed(rule, field, "min", rule.min)
        found.append((lambda values: min(values) >= least, lambda value: bool(value >= least), f"must be at least {rule.min}"))
    if rule.max is not None:
        most = _typed(rule, field, "max", rule.max)
        found.append((lambda values: max(values) <= most, lambda value: bool(value <= most), f"must be at most {rule.max}"))
    if rule.one_of is not None:
        allowed = frozenset(_typed(rule, field, "oneOf", one) for one in rule.one_of)
        listed = outside_text(", ".join(map(str, rule.one_of)))
        found.append((lambda values: allowed.issuperset(values), lambda value: value in allowed, f"must be one of {listed}"))
    return found


def _typed(rule: Rule, field: FieldSpec, part: str, value: str | int) -> Any:
    try:
        return constant(field, part, value)
    except StalledError as error:
        raise StalledError(f"spec.validation.rules[{rule.field}].{part}: {error.message.partition(': ')[2]}") from None


def _breaks(right: Callable[[Any], bool], value: Any) -> bool:
    return value is not None and not right(value)


def _never(values: list[Any]) -> bool:
    return False


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _refuse(rule: Rule, values: list[Any], broken: Callable[[Any], bool], wanted: str, faults: Faults) -> None:
    for index, value in enumerate(values):
        if broken(value):
            shown = "" if value is None else outside_text(text_of(value), 60)
            message = rule.message or f"{rule.field}: {f'{shown!r} ' if shown else ''}{wanted}"
            faults.add(index, "RuleBroken", message, rule.field, outside_text(shown, EXCERPT))
