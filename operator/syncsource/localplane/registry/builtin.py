"""The built-in kinds, read from `builtin.yaml` and `apitypes.txt`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from syncsource.localplane.admission import objectmeta
from syncsource.localplane.admission.cel.rules import RuleTree
from syncsource.localplane.admission.schema import Schema
from syncsource.localplane.admission.validator import CompiledVersion
from syncsource.localplane.registry.resource import Column, Resource, ScalePaths, Subresource
from syncsource.localplane.registry.schemas import schema_of

_READABLE = ("short_names", "categories", "verbs", "selectable")
_SCALE = ScalePaths(("spec", "replicas"), ("status", "replicas"), ("spec", "selector"))
_NAME = Column("Name", path=".metadata.name", format="name", description="Name must be unique within a namespace.")


def builtin_resources() -> Iterator[Resource]:
    yield from map(_resource, _data()["resources"])


def descriptions() -> Mapping[str, str]:
    """What is said of a type, or of a field of one."""
    of_kinds = {raw["type"]: raw["description"] for raw in _data()["resources"] if "type" in raw}
    return {**of_kinds, **_data()["descriptions"]}


@cache
def type_names() -> Mapping[tuple[str, str], str]:
    """The types of what is sent, by apiVersion and kind."""
    parts = {
        ("authentication.k8s.io/v1", "TokenRequest"): "authentication.v1.TokenRequest",
        ("autoscaling/v1", "Scale"): "autoscaling.v1.Scale",
        ("policy/v1", "Eviction"): "policy.v1.Eviction",
        ("v1", "Binding"): "core.v1.Binding",
    }
    return {(found.api_version, found.kind): found.type_name for found in builtin_resources() if found.type_name} | parts


@cache
def _data() -> Mapping[str, Any]:
    text = files("syncsource.localplane.registry").joinpath("builtin.yaml").read_text(encoding="utf-8")
    found: Mapping[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return found


def _resource(raw: Mapping[str, Any]) -> Resource:
    given: dict[str, Any] = {name: tuple(raw[name]) for name in _READABLE if name in raw}
    schema = {"type": "object", **raw.get("schema", {})}
    return Resource(
        group=raw.get("group", ""),
        version=raw.get("version", "v1"),
        kind=raw["kind"],
        plural=raw["plural"],
        singular=raw["kind"].lower(),
        namespaced=raw.get("namespaced", True),
        raw_schema=schema,
        rules=_rules(raw, schema),
        type_name=raw.get("type", ""),
        scale=_SCALE if raw.get("scale") else None,
        list_kind=f"{raw['kind']}List",
        has_status=raw.get("status", False),
        has_generation=raw.get("generation", False),
        connected=tuple(Subresource(**{**one, "verbs": tuple(one["verbs"])}) for one in raw.get("subresources", ())),
        columns=_columns([Column(**column) for column in raw.get("columns", ())]),
        renames=raw.get("renames", {}),
        is_storage=raw.get("storage", True),
        stored_as=raw.get("stored_as", ""),
        check_name=getattr(objectmeta, raw.get("name", "dns_subdomain")),
        **given,
    )


def _rules(raw: Mapping[str, Any], schema: Mapping[str, Any]) -> CompiledVersion:
    parsed = Schema.parse(schema)
    return CompiledVersion(schema_of(raw["type"]) if "type" in raw else parsed, RuleTree(parsed))


def _columns(given: list[Column]) -> tuple[Column, ...]:
    """Names come first, but where the table says otherwise."""
    return tuple(given) if any(column.name == "Name" for column in given) else (_NAME, *given)
