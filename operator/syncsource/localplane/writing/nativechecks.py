"""What is wrong with an object of a built-in kind, type by type: what is required, and which values a field may have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause, child
from syncsource.localplane.registry.apitypes import SCALARS, ApiType, Field, api_type
from syncsource.localplane.writing.typechecks import CHECKS

_UNCHECKED = ("authentication.", "authorization.", "meta.v1.", "events.v1.", "core.v1.Event")
"""Requests that are answered and forgotten, metadata, and events, whose fields have rules of their own."""
_NEEDED_LISTS = frozenset({"core.v1.PodSpec.containers", "networking.v1.HTTPIngressRuleValue.paths"})
_MAY_BE_EMPTY = frozenset(
    {
        "core.v1.HTTPHeader.value",
        "core.v1.Sysctl.value",
        "rbac.v1.RoleRef.name",
        "rbac.v1.Subject.name",
        "networking.v1.HTTPIngressPath.pathType",
    }
)


def check_native(name: str, obj: Mapping[str, Any]) -> Iterator[Cause]:
    """The causes of everything but metadata and status, which clients don't write with the rest."""
    kind = api_type(name)
    for field_name, declared in kind.fields.items():
        if field_name not in {"metadata", "status", "apiVersion", "kind"}:
            yield from _field(obj.get(field_name), declared, kind, field_name)
    yield from CHECKS.get(name, _no_causes)(obj, "")


def _struct(value: Mapping[str, Any], kind: ApiType, path: str) -> Iterator[Cause]:
    for name, declared in kind.fields.items():
        yield from _field(value.get(name), declared, kind, child(path, name))
    yield from CHECKS.get(kind.name, _no_causes)(value, path)


def _field(value: Any, declared: Field, owner: ApiType, path: str) -> Iterator[Cause]:
    if value is None or value == "":
        if declared.is_required and _is_needed(declared, owner):
            yield cause.required(path)
        return
    for item, place in _items(value, declared, path):
        if declared.enum and item not in declared.enum:
            yield cause.not_supported(path if declared.name == "accessModes" else place, item, declared.enum)
        elif declared.base not in SCALARS and isinstance(item, dict):
            yield from _struct(item, api_type(declared.base), place)
    if value == [] and f"{owner.name}.{declared.name}" in _NEEDED_LISTS:
        yield cause.required(path)


def _is_needed(declared: Field, owner: ApiType) -> bool:
    name = f"{owner.name}.{declared.name}"
    if owner.name.startswith(_UNCHECKED) or name in _MAY_BE_EMPTY:
        return False
    if declared.shape:
        return name in _NEEDED_LISTS
    return declared.base == "text" or (declared.is_pointer and declared.base not in SCALARS)


def _items(value: Any, declared: Field, path: str) -> Iterator[tuple[Any, str]]:
    if declared.shape == "[]":
        yield from ((item, f"{path}[{index}]") for index, item in enumerate(value))
    elif declared.shape == "{}":
        yield from ((item, f"{path}[{name}]") for name, item in value.items())
    else:
        yield value, path


def _no_causes(value: Mapping[str, Any], path: str) -> Iterator[Cause]:
    return iter(())
