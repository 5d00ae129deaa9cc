"""Strategic merge patches (`k8s.io/apimachinery/pkg/util/strategicpatch`), for built-in kinds only."""

from __future__ import annotations

import copy
from collections import deque
from typing import Any

from syncsource.localplane.admission.schema import Schema
from syncsource.localplane.errors import bad_request

_ANY = Schema()
_DELETE_FROM = "$deleteFromPrimitiveList/"
_ORDER = "$setElementOrder/"


def strategic_merge(current: Any, patch: Any, schema: Schema) -> Any:
    """Merge `patch` into `current`; the schema says which lists are merged, and by which key. Raises the 400 of an unknown directive."""
    if not isinstance(current, dict) or not isinstance(patch, dict):
        return copy.deepcopy(patch)
    match patch.get("$patch"):
        case "replace":
            return {name: copy.deepcopy(value) for name, value in patch.items() if name != "$patch"}
        case "delete":
            return {}
        case None | "merge":
            pass
        case unknown:
            raise bad_request(f"unrecognized $patch directive {unknown!r}")
    return _merge_maps(current, patch, schema)


def _merge_maps(current: dict[str, Any], patch: dict[str, Any], schema: Schema) -> dict[str, Any]:
    merged = dict(current)
    if "$retainKeys" in patch:
        merged = {name: value for name, value in merged.items() if name in patch["$retainKeys"]}
    for name, value in patch.items():
        if name.startswith(_DELETE_FROM):
            target = name.removeprefix(_DELETE_FROM)
            merged[target] = [item for item in merged.get(target) or [] if item not in value]
        elif not name.startswith("$"):
            _set(merged, name, value, schema.property(name) or _ANY)
    for name, order in patch.items():
        if name.startswith(_ORDER):
            _reorder(merged, current, name.removeprefix(_ORDER), order, schema)
    return merged


def _set(merged: dict[str, Any], name: str, value: Any, schema: Schema) -> None:
    if value is None:
        merged.pop(name, None)
    elif isinstance(value, list) and isinstance(merged.get(name), list):
        merged[name] = _merge_lists(merged[name], value, schema)
    elif isinstance(value, list):
        merged[name] = _merge_lists([], value, schema)
    elif isinstance(value, dict):
        below = merged.get(name)
        merged[name] = strategic_merge(below if isinstance(below, dict) else {}, value, schema)
    else:
        merged[name] = value


def _merge_lists(current: list[Any], patch: list[Any], schema: Schema) -> list[Any]:
    if schema.is_merged and not schema.merge_key:
        return _in_order(current + [item for item in patch if item not in current], current, patch, "")
    if not schema.is_merged:
        return [copy.deepcopy(item) for item in patch if not _is_directive(item)]
    key = schema.merge_key
    merged = [] if any(_is_directive(item, "replace") for item in patch) else list(current)
    for item in patch:
        if not (_is_directive(item, "replace") and len(item) == 1):
            _merge_item(merged, item, key, schema.items or _ANY)
    return _in_order(merged, current, [item for item in patch if key in item], key)


def _in_order(merged: list[Any], current: list[Any], order: list[Any], key: str) -> list[Any]:
    """What the patch names comes in its order, and before what only the server has, but where both were there in another order."""
    ranks, before = ({_name(item, key): rank for rank, item in enumerate(items)} for items in (order, current))
    named = deque(sorted((item for item in merged if _name(item, key) in ranks), key=lambda item: ranks[_name(item, key)]))
    others = deque(item for item in merged if _name(item, key) not in ranks)
    result: list[Any] = []
    while named and others:
        mine, other = before.get(_name(named[0], key)), before.get(_name(others[0], key))
        is_later = mine is not None and other is not None and other < mine
        result.append((others if is_later else named).popleft())
    return [*result, *named, *others]


def _name(item: Any, key: str) -> str:
    return str(item.get(key) if key and isinstance(item, dict) else item)


def _is_directive(item: Any, name: str | None = None) -> bool:
    return isinstance(item, dict) and "$patch" in item and (name is None or item["$patch"] == name)


def _merge_item(merged: list[Any], item: Any, key: str, schema: Schema) -> None:
    if not isinstance(item, dict) or key not in item:
        raise bad_request(f"map: {item} does not contain declared merge key: {key}")
    place = next((index for index, other in enumerate(merged) if isinstance(other, dict) and other.get(key) == item[key]), None)
    if _is_directive(item, "delete"):
        if place is not None:
            del merged[place]
    elif place is None:
        merged.append(strategic_merge({}, item, schema))
    else:
        merged[place] = strategic_merge(merged[place], item, schema)


def _reorder(merged: dict[str, Any], current: dict[str, Any], name: str, order: list[Any], schema: Schema) -> None:
    items, before = merged.get(name), current.get(name)
    if isinstance(items, list) and isinstance(order, list):
        key = (schema.property(name) or _ANY).merge_key
        merged[name] = _in_order(items, before if isinstance(before, list) else [], order, key)
