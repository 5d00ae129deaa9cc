"""PolicyRules: what one allows, and whether some of them cover another (`pkg/apis/rbac/v1` and `component-helpers/auth/rbac`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from syncsource.localplane.access.identity import Attributes

ALL = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """One PolicyRule; no names are all names."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Rule:
        fields = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
        return cls(*(tuple(raw.get(name) or ()) for name in fields))

    def raw(self) -> dict[str, Any]:
        fields = {
            "verbs": self.verbs,
            "apiGroups": self.groups,
            "resources": self.resources,
            "resourceNames": self.names,
            "nonResourceURLs": self.paths,
        }
        return {name: list(values) for name, values in fields.items() if values}

    def allows(self, wanted: Attributes) -> bool:
        if not _has(self.verbs, wanted.verb):
            return False
        if wanted.path:
            return any(_path_matches(pattern, wanted.path) for pattern in self.paths)
        if self.names and wanted.name not in self.names:
            return False
        return _has(self.groups, wanted.group) and self._has_resource(wanted)

    def _has_resource(self, wanted: Attributes) -> bool:
        any_with_part = f"*/{wanted.subresource}" if wanted.subresource else ALL
        return any(resource in (ALL, wanted.full_resource, any_with_part) for resource in self.resources)

    def __str__(self) -> str:
        """As the refusal of an escalation names it."""
        shown = {
            "APIGroups": self.groups,
            "Resources": self.resources,
            "NonResourceURLs": self.paths,
            "ResourceNames": self.names,
            "Verbs": self.verbs,
        }
        return "{" + ", ".join(f"{name}:{quoted(values)}" for name, values in shown.items() if values) + "}"


EVERYTHING = (Rule((ALL,), (ALL,), (ALL,)), Rule((ALL,), paths=(ALL,)))


def quoted(words: Iterable[str]) -> str:
    """As Go's %q prints a list of strings."""
    return f"[{' '.join(json.dumps(word, ensure_ascii=False) for word in words)}]"


def _has(values: tuple[str, ...], wanted: str) -> bool:
    return ALL in values or wanted in values


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in (ALL, path) or (pattern.endswith("*") and path.startswith(pattern.rstrip("*")))


def missing(held: Iterable[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """The parts of `wanted` that no rule of `held` covers, the verbs of one resource put together."""
    owned = list(held)
    lacking = [part for rule in wanted for part in _parts(rule) if not any(_covers(rule, part) for rule in owned)]
    by_place: dict[Rule, tuple[str, ...]] = {}
    for part in lacking:
        place = replace(part, verbs=())
        by_place[place] = tuple(dict.fromkeys((*by_place.get(place, ()), *part.verbs)))
    return [replace(place, verbs=verbs) for place, verbs in by_place.items()]


def _parts(rule: Rule) -> Iterator[Rule]:
    """The rule as rules of one verb, one group, one resource and at most one name each."""
    for group, resource, verb in product(rule.groups, rule.resources, rule.verbs):
        if not rule.names:
            yield Rule((verb,), (group,), (resource,))
        yield from (Rule((verb,), (group,), (resource,), (name,)) for name in rule.names)
    for path, verb in product(rule.paths, rule.verbs):
        yield Rule((verb,), paths=(path,))


def _covers(owner: Rule, part: Rule) -> bool:
    if not _has(owner.verbs, part.verbs[0]):
        return False
    if part.paths:
        return any(_path_matches(pattern, part.paths[0]) for pattern in owner.paths)
    if owner.names and (not part.names or part.names[0] not in owner.names):
        return False
    return _has(owner.groups, part.groups[0]) and _covers_resource(owner, part.resources[0])


def _covers_resource(owner: Rule, resource: str) -> bool:
    _, slash, part = resource.partition("/")
    return any(held in (ALL, resource) or (slash and held == f"*/{part}") for held in owner.resources)
