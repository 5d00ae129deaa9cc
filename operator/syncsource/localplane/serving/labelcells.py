"""Labels and selectors as kubectl prints them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NONE = "<none>"
_OPERATORS = {"In": " in ", "NotIn": " notin "}


def formatted_labels(labels: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items())) or NONE


def formatted_selector(selector: Mapping[str, Any] | None) -> str:
    """A LabelSelector; `<none>` selects everything, and nothing where there is no selector."""
    if selector is None:
        return NONE
    exact = [f"{name}={value}" for name, value in sorted((selector.get("matchLabels") or {}).items())]
    return ",".join([*exact, *map(_requirement, selector.get("matchExpressions") or ())]) or NONE


def _requirement(one: Mapping[str, Any]) -> str:
    key, values = one["key"], ",".join(sorted(one.get("values") or ()))
    match one["operator"]:
        case "Exists":
            return str(key)
        case "DoesNotExist":
            return f"!{key}"
    return f"{key}{_OPERATORS[one['operator']]}({values})"
