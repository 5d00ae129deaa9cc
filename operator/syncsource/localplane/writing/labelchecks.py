"""What is wrong with label selectors (`k8s.io/apimachinery/pkg/apis/meta/v1/validation`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.admission.objectmeta import label_value, qualified_name


def check_selector(selector: Mapping[str, Any], path: str = "") -> Iterator[Cause]:
    """A LabelSelector with its requirements."""
    yield from check_labels(selector, path)
    for index, one in enumerate(selector.get("matchExpressions") or ()):
        yield from check_requirement(one, f"{path}.matchExpressions[{index}]")


def check_labels(selector: Mapping[str, Any], path: str) -> Iterator[Cause]:
    for name, value in (selector.get("matchLabels") or {}).items():
        yield from (cause.invalid(f"{path}.matchLabels", name, text) for text in qualified_name(name))
        yield from (cause.invalid(f"{path}.matchLabels[{name}]", value, text) for text in label_value(value))


def check_requirement(one: Mapping[str, Any], path: str) -> Iterator[Cause]:
    operator, values = one.get("operator"), one.get("values") or []
    if operator in {"In", "NotIn"}:
        if not values:
            yield cause.required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in {"Exists", "DoesNotExist"}:
        if values:
            yield cause.forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    else:
        yield cause.invalid(f"{path}.operator", operator or "", "not a valid selector operator")
    yield from (cause.invalid(f"{path}.key", one.get("key") or "", text) for text in qualified_name(one.get("key") or ""))
    for index, value in enumerate(values):
        yield from (cause.invalid(f"{path}.values[{index}]", value, text) for text in label_value(value))
