"""Whether an applied configuration fits its schema (`structured-merge-diff/typed`), in the words of the real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from syncsource.localplane import errors
from syncsource.localplane.admission.pruning import TYPE_AND_OBJECT_META
from syncsource.localplane.admission.schema import Schema
from syncsource.localplane.writing.fieldset import element, path_text

_ANY = Schema()
_GO_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "bool"), (int, "int64"), (float, "float64"), (str, "string"), (list, "[]interface {}"), (dict, "map[string]interface {}"),
)  # fmt: skip


def check_applied(config: dict[str, Any], schema: Schema) -> None:
    """Raises the 500 with which a server answers a configuration that can't be owned field by field."""
    wrong = sorted(f"{path}: {why}" for path, why in _problems(config, schema, "", is_resource=True))
    if not wrong:
        return
    metadata = config["metadata"]
    what = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; {config['apiVersion']}, Kind={config['kind']}"
    listed = wrong[0] if len(wrong) == 1 else "errors:\n" + "\n".join(f"  {line}" for line in wrong)
    raise errors.APIError(500, "", f"failed to create typed patch object ({what}): {listed}")


def is_typed(obj: Any, schema: Schema) -> bool:
    """Whether an object can be owned field by field."""
    return next(_problems(obj, schema, "", is_resource=True), None) is None


def _problems(value: Any, schema: Schema, path: str, *, is_resource: bool = False) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if schema.types == ("object",):
        if not isinstance(value, dict):
            yield path, f"expected map, got &{{{_shown(value)}}}"
        else:
            yield from _map_problems(value, schema, path, is_resource=is_resource or schema.embedded)
    elif schema.types == ("array",):
        if not isinstance(value, list):
            yield path, f"expected list, got &{{{_shown(value)}}}"
        else:
            yield from _list_problems(value, schema, path)
    else:
        yield from _scalar_problems(value, schema, path)


def _map_problems(value: dict[str, Any], schema: Schema, path: str, *, is_resource: bool) -> Iterator[tuple[str, str]]:
    for name, item in value.items():
        below = schema.property(name)
        if below is not None:
            yield from _problems(item, below, f"{path}.{name}")
        elif not (schema.preserve or schema.additional_allowed or (is_resource and name in TYPE_AND_OBJECT_META)):
            yield f"{path}.{name}", "field not declared in schema"


def _list_problems(value: list[Any], schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for index, item in enumerate(value):
        why = _no_element(item, schema)
        if why:
            yield path, f"element {index}: {why}"
            continue
        part = element(item, index, schema)
        if part in seen:
            yield path, f"duplicate entries for key {path_text((part,))}"
        seen.add(part)
        yield from _problems(item, schema.items or _ANY, path + path_text((part,)))


def _no_element(item: Any, schema: Schema) -> str:
    """Why an item can't be told from the others of its list."""
    keyless = "associative list without keys has an element that's"
    match schema.list_type, item:
        case "map", None:
            return "associative list with keys may not have a null element"
        case "map", dict():
            names = " ".join(f'"{name}"' for name in schema.list_map_keys)
            why = f"associative list with keys has an element that omits all key fields [{names}]"
            return "" if element(item, 0, schema) != "k:{}" else f"{why} (and doesn't have default values for any key fields)"
        case "map", _:
            return "associative list with keys may not have non-map elements"
        case "set", None:
            return f"{keyless} an explicit null"
        case "set", dict():
            return f"{keyless} a map type"
        case "set", list():
            return "not supported: associative list with lists as elements"
    return ""


def _scalar_problems(value: Any, schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    match schema.types:
        case ("string",) if not isinstance(value, str):
            yield path, f"expected string, got &value.valueUnstructured{{Value:{_literal(value)}}}"
        case ("boolean",) if not isinstance(value, bool):
            yield path, f"expected boolean, got &{{{_shown(value)}}}"
        case ("integer",) | ("number",) if isinstance(value, bool) or not isinstance(value, int | float):
            yield path, f"expected numeric (int or float), got {next(name for kind, name in _GO_TYPES if isinstance(value, kind))}"


def _shown(value: Any) -> str:
    """As Go's %v prints it."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return str(value).lower()
        case list():
            return f"[{' '.join(map(_shown, value))}]"
        case dict():
            return f"map[{' '.join(f'{name}:{_shown(value[name])}' for name in sorted(value))}]"
    return str(value)


def _literal(value: Any) -> str:
    """As Go's %#v prints it."""
    match value:
        case list():
            return f"[]interface {{}}{{{', '.join(map(_literal, value))}}}"
        case dict():
            return f"map[string]interface {{}}{{{', '.join(f'{json.dumps(name)}:{_literal(value[name])}' for name in sorted(value))}}}"
        case str():
            return json.dumps(value, ensure_ascii=False)
    return _shown(value)
