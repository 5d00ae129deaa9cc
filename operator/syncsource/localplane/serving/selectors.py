"""What of a list or watch is selected, by labels and by fields (`k8s.io/apimachinery/pkg/fields`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from syncsource.localplane.errors import bad_request
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.serving.labelselectors import Requirement, parse_labels

_OPERATOR = re.compile(r"!=|==|=")
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Selector:
    """What of a list or watch is wanted; `name` is set where a field selector fixes it."""

    labels: tuple[Requirement, ...] = ()
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
    fields = tuple(_field_requirement(resource, text) for text in _terms(field_selector))
    return Selector(parse_labels(label_selector), fields)


def _terms(text: str) -> list[str]:
    """The parts between commas that are not escaped."""
    return [term for term in re.findall(r"(?:[^,\\]|\\.?)+", text, re.DOTALL) if term]


def _field_requirement(resource: Resource, text: str) -> tuple[str, str, bool]:
    found = _OPERATOR.search(text)
    if not found:
        raise bad_request(f"invalid selector: '{text}'; can't understand '{text}'")
    path, operator, value = text[: found.start()], found.group(), _unescaped(text[found.end() :])
    if path not in {"metadata.name", "metadata.namespace", *resource.selectable}:
        raise bad_request(f"field label not supported: {path}")
    stored = ".".join([resource.renames.get(path.split(".")[0], path.split(".")[0]), *path.split(".")[1:]])
    return stored, value, operator != "!="


def _unescaped(text: str) -> str:
    for letter in _ESCAPE.findall(text):
        if letter not in {"\\", ",", "="}:
            raise bad_request(f"invalid field selector: invalid escape sequence: \\{letter}")
    if "=" in _ESCAPE.sub("", text):
        raise bad_request(f"invalid field selector: unescaped character in value: {ord('=')}")
    return _ESCAPE.sub(r"\1", text)


def _field(obj: Any, path: str) -> str:
    for name in path.split("."):
        obj = obj.get(name) if isinstance(obj, dict) else None
    if obj is None or isinstance(obj, dict | list):
        return ""
    return str(obj).lower() if isinstance(obj, bool) else str(obj)
