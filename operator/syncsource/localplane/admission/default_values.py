"""Whether the defaults of a schema are values that it allows."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import NO_PATH, Cause
from syncsource.localplane.admission.cel.rules import build_rules, evaluate
from syncsource.localplane.admission.embedded import validate_embedded
from syncsource.localplane.admission.pruning import TYPE_AND_OBJECT_META, prune
from syncsource.localplane.admission.schema import Schema
from syncsource.localplane.admission.validation import validate

Raw = dict[str, Any]


def check_defaults(root: Raw, path: str) -> Iterator[Cause]:
    """The causes of all defaults at and below a structural schema; those inside additionalProperties are never looked at."""
    yield from _below({**root, "x-kubernetes-embedded-resource": True}, path, in_meta=False)


def _below(schema: Raw, path: str, *, in_meta: bool) -> Iterator[Cause]:
    is_resource = bool(schema.get("x-kubernetes-embedded-resource"))
    in_meta = in_meta and not is_resource
    if "default" in schema:
        yield from _default(schema, path, in_meta=in_meta)
    if isinstance(schema.get("items"), dict):
        yield from _below(schema["items"], f"{path}.items", in_meta=in_meta)
    for name, sub in (schema.get("properties") or {}).items():
        is_meta = in_meta or (is_resource and name in TYPE_AND_OBJECT_META)
        yield from _below(sub, f"{path}.properties[{name}]", in_meta=is_meta)


def _default(raw: Raw, path: str, *, in_meta: bool) -> Iterator[Cause]:
    value, schema = raw["default"], Schema.parse(raw)
    pruned = copy.deepcopy(value)
    if not in_meta and prune(pruned, schema):
        yield cause.invalid(f"{path}.default", value, "must not have unknown fields")
    wrong = list(validate_embedded(value, schema)) or list(validate(value, schema)) or list(_rules(value, schema))
    yield from (_at(found, f"{path}.default") for found in wrong)


def _rules(value: Any, schema: Schema) -> Iterator[Cause]:
    """A default is both a change from itself and a new value."""
    rules = build_rules(schema)
    changed = list(evaluate(rules, value, value, ratchet=False))
    yield from changed or evaluate(rules, value, ratchet=False)


def _at(found: Cause, path: str) -> Cause:
    if found.field in {"", NO_PATH}:
        return replace(found, field=path)
    return replace(found, field=f"{path}{found.field}" if found.field.startswith("[") else f"{path}.{found.field}")
