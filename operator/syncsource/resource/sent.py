"""Whether what a spec says of partitions and cursors reaches its source, and what its source is to be told is there. No schema can say."""

from __future__ import annotations

from collections.abc import Iterator

from syncsource.resource.firestore import FirestoreSource
from syncsource.resource.http import HttpSource
from syncsource.resource.problem import Problem
from syncsource.resource.spec import SyncSourceSpec
from syncsource.resource.sqlsource import SqlSource
from syncsource.resource.templates import LAST, templates_in

_CURSORS = frozenset(("cursor", "windowStart", "windowEnd"))


def unsent(spec: SyncSourceSpec) -> list[Problem]:
    """What is named and not there, or there and sent nowhere."""
    source = spec.source
    if source.http is not None:
        return list(_http(spec, source.http))
    if source.firestore is not None:
        return list(_firestore(spec, source.firestore))
    return list(_sql(spec, source.sql)) if source.sql is not None else []


def _http(spec: SyncSourceSpec, http: HttpSource) -> Iterator[Problem]:
    used = _names(http.request.model_dump(mode="json"))
    incremental, keyset = spec.incremental, http.pagination.keyset
    request = "spec.source.http.request"
    if "partition" in used and spec.partitions is None:
        yield Problem(request, "{{ partition }} needs spec.partitions")
    if used & _CURSORS and incremental is None:
        yield Problem(request, "{{ cursor }} needs spec.incremental")
    paths = {f"{LAST}{field.path}" for field in keyset.fields} if keyset else set()
    for name in sorted(used - paths):
        if name.startswith(LAST):
            yield Problem(request, f"{{{{ {name} }}}} needs a field of pagination.keyset with this path")
    if spec.partitions and "partition" not in used:
        yield Problem("spec.partitions", f"every partition would read the same; write {{{{ partition }}}} into {request}")
    if incremental and not incremental.param and not used & {"cursor", "windowStart"}:
        yield Problem("spec.incremental", f"the cursor is never sent; set param, or write {{{{ cursor }}}} into {request}")
    if incremental and incremental.window and not incremental.end_param and "windowEnd" not in used:
        said = "its end is never sent, so that each window would read all that follows; set endParam, or write {{ windowEnd }} into"
        yield Problem("spec.incremental.window", f"{said} {request}")


def _firestore(spec: SyncSourceSpec, source: FirestoreSource) -> Iterator[Problem]:
    if source.names_partition and spec.partitions is None:
        yield Problem("spec.source.firestore", "{{ partition }} needs spec.partitions")
    if spec.partitions and not source.names_partition:
        said = "every partition would read the same documents: write {{ partition }} into collection or a condition of where"
        yield Problem("spec.source.firestore", said)


def _sql(spec: SyncSourceSpec, source: SqlSource) -> Iterator[Problem]:
    named = "{partition}" in (source.where or "") + (source.query or "")
    field = "spec.source.sql.query" if source.query else "spec.source.sql.where"
    if named and spec.partitions is None:
        yield Problem(field, "{partition} needs spec.partitions: set it, or remove the condition")
    if spec.partitions and not named:
        yield Problem(field, "every partition would read the same rows: add a condition such as store = {partition}")


def _names(texts: object) -> set[str]:
    return {placeholder.name for template in templates_in(texts) for placeholder in template.placeholders}
