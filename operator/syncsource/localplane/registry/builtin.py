"""The built-in kinds, read from `builtin.yaml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import yaml

from syncsource.localplane.admission import objectmeta
from syncsource.localplane.admission.cel.rules import RuleTree
from syncsource.localplane.admission.schema import Schema
from syncsource.localplane.admission.validator import CompiledVersion
from syncsource.localplane.registry.resource import Column, Resource, Subresource

_READABLE = ("short_names", "categories", "verbs", "selectable")
_NAME = Column("Name", path=".metadata.name", format="name", description="Name must be unique within a namespace.")


def builtin_resources() -> Iterator[Resource]:
    text = files("syncsource.localplane.registry").joinpath("builtin.yaml").read_text(encoding="utf-8")
    for raw in yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["resources"]:
        yield _resource(raw)


def _resource(raw: Mapping[str, Any]) -> Resource:
    schema = {"type": "object", **raw["schema"]}
    parsed = Schema.parse(schema)
    given: dict[str, Any] = {name: tuple(raw[name]) for name in _READABLE if name in raw}
    return Resource(
        group=raw.get("group", ""),
        version="v1",
        kind=raw["kind"],
        plural=raw["plural"],
        singular=raw["kind"].lower(),
        namespaced=raw.get("namespaced", True),
        raw_schema=schema,
        rules=CompiledVersion(parsed, RuleTree(parsed)),
        list_kind=f"{raw['kind']}List",
        has_status=raw.get("status", False),
        has_generation=raw.get("generation", False),
        connected=tuple(Subresource(**{**one, "verbs": tuple(one["verbs"])}) for one in raw.get("subresources", ())),
        columns=_columns([Column(**column) for column in raw.get("columns", ())]),
        renames=raw.get("renames", {}),
        stored_as=raw.get("stored_as", ""),
        check_name=getattr(objectmeta, raw.get("name", "dns_subdomain")),
        **given,
    )


def _columns(given: list[Column]) -> tuple[Column, ...]:
    """Names come first, but where the table says otherwise."""
    return tuple(given) if any(column.name == "Name" for column in given) else (_NAME, *given)
