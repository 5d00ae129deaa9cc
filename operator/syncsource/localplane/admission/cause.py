"""Causes: one per thing that is wrong with an object, worded as `k8s.io/apimachinery/pkg/util/validation/field` does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


class _Omitted:
    """The bad value is left out of the message."""


OMITTED = _Omitted()
NO_PATH = "<nil>"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an object was refused.

    `field` is the path (`spec.parts[1].name`; `<nil>` for the object as a whole), `reason` the machine-readable
    `FieldValue…` of the API, `message` what kubectl prints after the path.
    """

    field: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


BLOCKING = frozenset({"FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"})


def format_causes(causes: Iterable[Cause]) -> str:
    """The causes as one line, as in the message of a 422 Status."""
    lines = list(dict.fromkeys(map(str, causes)))
    return lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"


def child(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float):
        return go_float(value)
    shown = json.dumps(value, separators=(",", ":"), sort_keys=not _is_in_order(value), ensure_ascii=False)
    return re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", shown)


def _is_in_order(value: Any) -> bool:
    return isinstance(value, InOrder) or (isinstance(value, list) and bool(value) and isinstance(value[0], InOrder))


def go_float(value: float) -> str:
    """As Go's %v prints a float64."""
    digits, _, power = f"{Decimal(repr(value)).normalize():e}".partition("e")
    exponent = int(power or 0)
    if -4 <= exponent < 6 or not power:
        return f"{value:f}".rstrip("0").rstrip(".")
    return f"{digits}e{exponent:+03d}"


class InOrder(dict[str, Any]):
    """A value whose entries are shown in the order given, as those of a Go struct are."""


def quoted(text: str) -> str:
    """As Go's %q prints it, for what appears in API objects."""
    return json.dumps(text, ensure_ascii=False)


def _body(kind: str, value: Any, detail: str) -> str:
    parts = [kind] if value is OMITTED else [kind, _shown(value)]
    return ": ".join([*parts, detail] if detail else parts)


def required(path: str, detail: str = "") -> Cause:
    return Cause(path or NO_PATH, "FieldValueRequired", _body("Required value", OMITTED, detail))


def duplicate(path: str, value: Any, detail: str = "") -> Cause:
    return Cause(path or NO_PATH, "FieldValueDuplicate", _body("Duplicate value", value, detail))


def invalid(path: str, value: Any, detail: str) -> Cause:
    return Cause(path or NO_PATH, "FieldValueInvalid", _body("Invalid value", value, detail))


def type_invalid(path: str, value: Any, detail: str) -> Cause:
    return Cause(path or NO_PATH, "FieldValueTypeInvalid", _body("Invalid value", value, detail))


def not_supported(path: str, value: Any, allowed: Sequence[Any]) -> Cause:
    names = ", ".join(quoted(item if isinstance(item, str) else _shown(item)) for item in allowed)
    return Cause(path or NO_PATH, "FieldValueNotSupported", _body("Unsupported value", value, f"supported values: {names}"))


def forbidden(path: str, detail: str) -> Cause:
    return Cause(path or NO_PATH, "FieldValueForbidden", _body("Forbidden", OMITTED, detail))


def internal_error(path: str, detail: str) -> Cause:
    return Cause(path, "InternalError", f"Internal error: {detail}")


def not_found(path: str, value: Any) -> Cause:
    return Cause(path, "FieldValueNotFound", _body("Not found", value, ""))


def too_long(path: str, limit: int) -> Cause:
    unit = "byte" if limit == 1 else "bytes"
    return Cause(path or NO_PATH, "FieldValueTooLong", f"Too long: may not be more than {limit} {unit}")


def too_many(path: str, count: int, limit: int) -> Cause:
    unit = "item" if limit == 1 else "items"
    return Cause(path or NO_PATH, "FieldValueTooMany", f"Too many: {count}: must have at most {limit} {unit}")
