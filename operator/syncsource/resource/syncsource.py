"""A SyncSource as the API server holds it, parsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from syncsource.errors import StalledError
from syncsource.resource.conditions import INVALID_SPEC
from syncsource.resource.problem import Problem
from syncsource.resource.sent import unsent
from syncsource.resource.spec import SyncSourceSpec
from syncsource.resource.status import SyncSourceStatus


class Metadata(BaseModel):
    """The part of ObjectMeta that we read."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)

    name: str
    namespace: str = "default"
    uid: str = ""
    generation: int = 1
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    annotations: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SyncSource:
    """One SyncSource. Made by :func:`parse`. No model: that would build those of its parts once more."""

    metadata: Metadata
    spec: SyncSourceSpec
    status: SyncSourceStatus

    @property
    def name(self) -> str:
        """``namespace/name``."""
        return f"{self.metadata.namespace}/{self.metadata.name}"


def parse(manifest: Mapping[str, Any]) -> SyncSource:
    """The SyncSource of an object as the API server sends it. Raises StalledError (InvalidSpec) that lists every problem."""
    problems = spec_problems(manifest.get("spec"))
    if problems:
        raise StalledError("; ".join(map(str, problems)), reason=INVALID_SPEC)
    return SyncSource(
        metadata=Metadata.model_validate(manifest["metadata"]),
        spec=SyncSourceSpec.model_validate(manifest["spec"]),
        status=SyncSourceStatus.model_validate(manifest.get("status") or {}),
    )


def spec_problems(spec: Any, model: type[BaseModel] = SyncSourceSpec) -> list[Problem]:
    """What the models find wrong with a spec: shape, values, and what no schema can say (cron, paths, zones, what is sent to the source)."""
    try:
        found = model.model_validate(spec)
    except ValidationError as error:
        return problems_of(error)
    return unsent(found) if isinstance(found, SyncSourceSpec) else []


def problems_of(error: ValidationError) -> list[Problem]:
    """What a model of a spec found wrong with it."""
    return [Problem(_path(line["loc"]), _message(line)) for line in error.errors(include_url=False)]


def _path(location: tuple[int | str, ...]) -> str:
    path = "spec"
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path


def _message(line: Any) -> str:
    return str(line["msg"]).removeprefix("Value error, ")
