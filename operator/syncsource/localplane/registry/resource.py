"""The description of one resource: everything that the generic machinery needs to know of a kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from syncsource.localplane.admission.objectmeta import dns_subdomain
from syncsource.localplane.admission.validator import CompiledVersion


@dataclass(frozen=True, slots=True)
class Column:
    """A printer column: the cell is what `path` finds, or what the function `cell` makes of the object."""

    name: str
    type: str = "string"
    path: str = ""
    cell: str = ""
    priority: int = 0
    description: str = ""
    format: str = ""


@dataclass(frozen=True, slots=True)
class Subresource:
    """A part of a resource, or something one does with it; `group` and `version` are set where its kind is of another group."""

    name: str
    kind: str
    verbs: tuple[str, ...]
    group: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where an object says how many replicas it wants, how many it has, and which Pods they are; the last may be nowhere."""

    spec: tuple[str, ...]
    status: tuple[str, ...]
    selector: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class StoredForm:
    """How the objects of a definition are stored: in the version `api_version`.

    `rules` are those of every version, by apiVersion. They hold since the store's version `since`: what was written later is whole.
    """

    api_version: str
    rules: Mapping[str, CompiledVersion]
    since: int


_SCALE = Subresource("scale", "Scale", ("get", "patch", "update"), "autoscaling", "v1")


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """A kind in one version. `raw_schema` is what OpenAPI publishes, `version_rules` what objects are checked against.

    `stored_form` is set for custom kinds. A resource that is not `is_served` only stands for the objects that are stored in its version.
    `connected` are the subresources that have a handler of their own. `renames` maps fields of this version to those that are stored, for a kind that two groups share.
    `is_terminating`: nothing is created any more, since the definition goes. Who uses the version is warned with `deprecation`, if that is not "".
    `type_name` is the type in `apitypes.txt`, for a built-in kind that has one.
    """

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    raw_schema: Mapping[str, Any]
    rules: CompiledVersion
    list_kind: str
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
    has_status: bool = False
    has_generation: bool = False
    connected: tuple[Subresource, ...] = ()
    is_custom: bool = False
    is_terminating: bool = False
    deprecation: str = ""
    is_storage: bool = True
    is_served: bool = True
    stored_form: StoredForm | None = None
    columns: tuple[Column, ...] = ()
    selectable: tuple[str, ...] = ()
    renames: Mapping[str, str] = field(default_factory=dict)
    stored_as: str = ""
    check_name: Callable[[str], Iterator[str]] = dns_subdomain
    type_name: str = ""
    scale: ScalePaths | None = None

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def storage(self) -> str:
        """The resource's part of a storage key."""
        return self.stored_as or (f"{self.plural}.{self.group}" if self.group else self.plural)

    @property
    def subresources(self) -> tuple[Subresource, ...]:
        status = Subresource("status", self.kind, ("get", "patch", "update"))
        parts = [*self.connected, *([_SCALE] if self.scale else []), *([status] if self.has_status else [])]
        return tuple(parts)

    def subresource(self, name: str) -> Subresource | None:
        return next((found for found in self.subresources if found.name == name), None)

    @property
    def is_stored(self) -> bool:
        """Whether there are objects at all: a review is answered and forgotten."""
        return "get" in self.verbs
