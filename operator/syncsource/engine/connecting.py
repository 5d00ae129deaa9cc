"""How many connections a run has open at the same time, and to which servers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from syncsource.databases.url import kept_url, parse_url
from syncsource.engine.plan import RunPlan
from syncsource.errors import SyncError
from syncsource.resource.parts import SecretKeyRef
from syncsource.resource.spec import SyncSourceSpec

LEAST = 4
"""With fewer a run that reads and writes one database, and copies a table to a file before, could not begin."""
BESIDE = 1
"""Connections that the threads of a run share for what takes a moment: the ledger, and a backup. Whoever has it wants no other, so that all get it."""
_PORTS = {"postgresql": 5432, "mysql": 3306}


@dataclass(frozen=True, slots=True)
class Wanted:
    """``lanes``: threads that have a connection each. ``by_place``: connections by server and database."""

    lanes: int
    by_place: dict[str, int]


def wanted(plan: RunPlan, most: int) -> Wanted:
    """What a run needs, at most ``most`` of each database: where it would like more, fewer partitions are under way at a time."""
    spec = SyncSourceSpec.model_validate(plan.spec)
    destination = _place(plan, spec.destination.sql.url_from.secret_key_ref, "spec.destination.sql.urlFrom")
    source = _place(plan, spec.source.sql.url_from.secret_key_ref, "spec.source.sql.urlFrom") if spec.source.sql else None
    dumped = spec.safety.backup is not None and spec.safety.backup.mode == "File"
    each, beside = Counter(filter(None, [destination, source])), Counter({destination: BESIDE + dumped} if destination else {})
    lanes = min([threads(spec), *((most - beside[place]) // count for place, count in each.items())])
    return Wanted(lanes, {place: count * lanes + beside[place] for place, count in each.items()})


def threads(spec: SyncSourceSpec) -> int:
    """Twice as many as partitions are read at a time, so that some read while others write."""
    return 1 if spec.partitions is None or spec.partitions.parallelism == 1 else 2 * spec.partitions.parallelism


def _place(plan: RunPlan, reference: SecretKeyRef, field: str) -> str | None:
    """None: a file, or what the run itself will complain of."""
    try:
        url = parse_url(*kept_url(reference, plan.secrets, field), ("postgresql", "mysql", "sqlite"))
    except SyncError:
        return None
    if url.drivername == "sqlite":
        return None
    host = url.host or url.query.get("host") or url.query.get("unix_socket") or "localhost"
    named = host if isinstance(host, str) else ",".join(host)
    return f"{url.drivername} {named.lower()}:{url.port or _PORTS[url.drivername]}/{url.database}"
