"""LabelSelectors, as fields of objects have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Labels = Mapping[str, str]


def matches_labels(selector: Mapping[str, Any], labels: Labels) -> bool:
    """A LabelSelector of an object, which all labels satisfy where it says nothing."""
    exact = (selector.get("matchLabels") or {}).items()
    return exact <= labels.items() and all(_expression_holds(found, labels) for found in selector.get("matchExpressions") or ())


def _expression_holds(expression: Mapping[str, Any], labels: Labels) -> bool:
    present, value = expression["key"] in labels, labels.get(expression["key"])
    match expression["operator"]:
        case "In":
            return value in (expression.get("values") or ())
        case "NotIn":
            return value not in (expression.get("values") or ())
        case "Exists":
            return present
    return not present
