"""Label and field selectors (`k8s.io/apimachinery/pkg/labels` and `fields`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from syncsource.localplane.admission.objectmeta import label_value, qualified_name
from syncsource.localplane.errors import bad_request
from syncsource.localplane.registry.resource import Resource

Labels = Mapping[str, str]
_SET = re.compile(r"\s*(?P<key>\S+)\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)\s*")
_EQUALITY = re.compile(r"\s*(?P<key>[^\s=!<>]+)\s*(?P<operator>==|=|!=|<|>)\s*(?P<values>[^\s=!<>]*)\s*")
_EXISTS = re.compile(r"\s*(?P<not>!?)\s*(?P<key>[^\s=!<>(),]+)\s*")
_COMMA = re.compile(r",(?![^(]*\))")


@dataclass(frozen=True, slots=True)
class Selector:
    """What of a list or watch is wanted; `name` is set where a field selector fixes it."""

    labels: tuple[Callable[[Labels], bool], ...] = ()
    fields: tuple[tuple[str, str, bool], ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.labels or self.fields)

    def matches(self, obj: Mapping[str, Any]) -> bool:
        labels = obj["metadata"].get("labels") or {}
        if not all(holds(labels) for holds in self.labels):
            return False
        return all((_field(obj, path) == value) is wanted for path, value, wanted in self.fields)


def parse_selector(resource: Resource, label_selector: str, field_selector: str) -> Selector:
    """Raises the 400 of a selector that can't be read or names a field that can't be selected by."""
    labels = tuple(_requirement(text) for text in _COMMA.split(label_selector) if text.strip())
    fields = tuple(_field_requirement(resource, text) for text in field_selector.split(",") if text.strip())
    return Selector(labels, fields)


def _requirement(text: str) -> Callable[[Labels], bool]:
    found = _SET.fullmatch(text) or _EQUALITY.fullmatch(text)
    if found:
        return _comparison(_checked_key(found["key"]), found["operator"], found["values"])
    found = _EXISTS.fullmatch(text)
    if not found:
        raise bad_request(f"unable to parse requirement: found '{text.strip()}', expected: a label selector")
    key, wanted = _checked_key(found["key"]), not found["not"]
    return lambda labels: (key in labels) is wanted


def _comparison(key: str, operator: str, text: str) -> Callable[[Labels], bool]:
    values = {value.strip() for value in text.split(",")}
    for value in values:
        for why in label_value(value):
            raise bad_request(f"unable to parse requirement: values[0][{key}]: Invalid value: {value!r}: {why}")
    match operator:
        case "in" | "=" | "==":
            return lambda labels: labels.get(key) in values
        case "notin" | "!=":
            return lambda labels: labels.get(key) not in values
    bound = _integer(text)
    if bound is None:
        raise bad_request(f"unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer, got {text!r}")
    sign = 1 if operator == ">" else -1
    return lambda labels: (found := _integer(labels.get(key))) is not None and (found - bound) * sign > 0


def _checked_key(key: str) -> str:
    for why in qualified_name(key):
        raise bad_request(f"unable to parse requirement: key: Invalid value: {key!r}: {why}")
    return key


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"-?[0-9]+", text.strip()) else None


def _field_requirement(resource: Resource, text: str) -> tuple[str, str, bool]:
    found = re.fullmatch(r"\s*([^=!\s]+)\s*(!=|==|=)\s*(.*?)\s*", text)
    if not found:
        raise bad_request(f"invalid field selector: {text!r}")
    path, operator, value = found.groups()
    if path not in {"metadata.name", "metadata.namespace", *resource.selectable}:
        raise bad_request(f"field label not supported: {path}")
    stored = ".".join([resource.renames.get(path.split(".")[0], path.split(".")[0]), *path.split(".")[1:]])
    return stored, value, operator != "!="


def _field(obj: Any, path: str) -> str:
    for name in path.split("."):
        obj = obj.get(name) if isinstance(obj, dict) else None
    if obj is None or isinstance(obj, dict | list):
        return ""
    return str(obj).lower() if isinstance(obj, bool) else str(obj)
