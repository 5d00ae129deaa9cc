"""Offline validation: what an API server would say of a manifest, then what only the models can say.

The schema and the CEL rules are checked by the same code that the embedded control plane runs, so that the
messages are those of kubectl; cron expressions, paths and zones are checked by the models.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from syncsource.localplane.admission import Cause, CustomResourceValidator
from syncsource.resource import api
from syncsource.resource.crd import crd
from syncsource.resource.problem import Problem
from syncsource.resource.spec import SyncSourceSpec
from syncsource.resource.syncrun import SyncRunSpec
from syncsource.resource.syncsource import spec_problems

KINDS: Mapping[str, type[BaseModel]] = {api.KIND: SyncSourceSpec, api.RUN_KIND: SyncRunSpec}
"""The kinds that can be checked, and what their specs are."""

_NO_FIELD = "<nil>"
"""The field of the cause that only says that more may be wrong."""


def problems(manifest: Mapping[str, Any]) -> list[Problem]:
    """Everything that is wrong with the manifest of a SyncSource or SyncRun; none: it is valid."""
    kind = str(manifest.get("kind"))
    if manifest.get("apiVersion") != api.API_VERSION or kind not in KINDS:
        return [Problem("kind", f"must be {' or '.join(KINDS)} of {api.API_VERSION}, not {kind} of {manifest.get('apiVersion')}")]
    admitted = _validator(kind).admit(_named(manifest))
    found = [Problem(field, "unknown field") for field in admitted.unknown]
    found += [_problem(cause) for cause in admitted.causes]
    places = {problem.field for problem in found}
    return found + [problem for problem in spec_problems(manifest.get("spec"), KINDS[kind]) if not _covered(problem.field, places)]


def admitted(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest as an API server would store it: defaults set. Only for one without problems."""
    return dict(_validator(manifest["kind"]).admit(dict(manifest)).object)


def _named(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest under a name that an API server would make, where it leaves that to it."""
    metadata = manifest.get("metadata")
    if not isinstance(metadata, Mapping) or metadata.get("name") or not isinstance(metadata.get("generateName"), str):
        return dict(manifest)
    return {**manifest, "metadata": {**metadata, "name": f"{metadata['generateName']}xxxxx"}}


@cache
def _validator(kind: str) -> CustomResourceValidator:
    return CustomResourceValidator(crd(kind), checked=True)


def _problem(cause: Cause) -> Problem:
    if cause.field == _NO_FIELD:
        return Problem("", "more may be wrong: the rules that span fields are checked once these problems are mended")
    return Problem(cause.field, cause.message)


def _covered(field: str, places: set[str]) -> bool:
    """Whether the field, or a part of it, or what it is part of, is reported already."""
    return any(
        field == place or field.startswith((f"{place}.", f"{place}[")) or place.startswith((f"{field}.", f"{field}[")) for place in places
    )
