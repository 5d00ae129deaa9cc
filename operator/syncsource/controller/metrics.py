"""What Prometheus is told: https://prometheus.io/docs/instrumenting/exposition_formats.

Gauges are read off the statuses when somebody asks, so that they cost nothing otherwise and end with their SyncSource. Counters begin with the operator.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from aiohttp import web
from prometheus_client import CollectorRegistry, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from syncsource.controller.core.fleet import Fleet
from syncsource.controller.core.happening import Happening, RunEnded, VerificationEnded
from syncsource.controller.core.packed import plain
from syncsource.controller.core.source import Source
from syncsource.controller.health import listening
from syncsource.engine.plan import Outcome
from syncsource.resource import conditions

_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
_CHANGES = ("inserted", "updated", "deleted", "unchanged", "skipped", "quarantined", "conflicts")
_OF = ("namespace", "name")


@dataclass(slots=True)
class _Tally:
    """What became of one SyncSource's runs since the operator began."""

    runs: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    verifications: Counter[str] = field(default_factory=Counter)
    read: int = 0
    billed: int = 0

    def add(self, outcome: Outcome) -> None:
        """Another run."""
        self.runs[outcome.result] += 1
        self.rows.update({change: getattr(outcome.counts, change) for change in _CHANGES})
        self.read += outcome.counts.read
        self.billed += outcome.document_reads


class Metrics:
    """Of one operator, whose SyncSources are in ``fleet`` once it is there."""

    def __init__(self) -> None:
        self.fleet: Fleet | None = None
        self._tallies: defaultdict[str, _Tally] = defaultdict(_Tally)
        self._own = CollectorRegistry()
        ProcessCollector(registry=self._own)
        PlatformCollector(registry=self._own)
        self._durations = Histogram(
            "syncsource_run_duration_seconds", "How long runs took, by their result.", ["result"], registry=self._own, buckets=_BUCKETS
        )

    def saw(self, happening: Happening) -> None:
        """Something happened, which the fleet knows already. In the loop's thread."""
        if self.fleet is None or not isinstance(happening, RunEnded | VerificationEnded) or self.fleet.source(happening.key) is None:
            return
        if isinstance(happening, VerificationEnded):
            self._tallies[happening.key].verifications[happening.outcome.result] += 1
            return
        self._tallies[happening.key].add(happening.outcome)
        self._durations.labels(happening.outcome.result).observe(happening.outcome.seconds)

    async def text(self, accept: str) -> tuple[bytes, str]:
        """All of it, in the form that the Accept header prefers, and that form's content type. Made in a thread: thousands of SyncSources take a second."""
        sources = list(self.fleet.sources) if self.fleet is not None else []
        self._tallies = tallies = defaultdict(_Tally, {source.ref.key: self._tallies[source.ref.key] for source in sources})
        told = [(source, tallies[source.ref.key]) for source in sources]
        encode, content_type = choose_encoder(accept)
        return await asyncio.to_thread(self._encoded, encode, told), content_type

    def _encoded(self, encode: Callable[[Collector], bytes], told: Sequence[tuple[Source, _Tally]]) -> bytes:
        return encode(_Families([*self._own.collect(), *_gauges(told), *_counters(told)]))


def serving_metrics(metrics: Metrics, host: str | None, port: int) -> AbstractAsyncContextManager[int]:
    """Answers ``/metrics`` until the block is left, as :func:`listening` does."""

    async def told(request: web.Request) -> web.Response:
        body, content_type = await metrics.text(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    return listening([web.get("/metrics", told)], host, port)


@dataclass(frozen=True, slots=True)
class _Families(Collector):
    found: Sequence[Metric]

    def collect(self) -> Iterator[Metric]:
        return iter(self.found)


class _Condition(msgspec.Struct):
    type: str
    status: str


class _Verification(msgspec.Struct):
    time: datetime | None = None


class _Status(msgspec.Struct, rename="camel"):
    """What metrics tell of a status, and nothing else: ten thousand whole ones would take seconds."""

    conditions: list[_Condition] = []
    last_attempt_time: datetime | None = None
    last_success_time: datetime | None = None
    next_run_time: datetime | None = None
    current_run: msgspec.Raw = msgspec.Raw(b"null")
    consecutive_failures: int = 0
    quarantined: int = 0
    conflicts: int = 0
    accuracy: str | None = None
    verification: _Verification | None = None


_decoder = msgspec.json.Decoder(_Status)


def _gauges(told: Sequence[tuple[Source, _Tally]]) -> Iterator[Metric]:
    statuses = [([source.ref.namespace, source.ref.name], _decoder.decode(plain(source.packed_status))) for source, _ in told]
    for name, text, value in _OF_STATUS:
        family = GaugeMetricFamily(f"syncsource_{name}", text, labels=_OF)
        for labels, status in statuses:
            if (found := value(status)) is not None:
                family.add_metric(labels, found)
        yield family


def _counters(told: Sequence[tuple[Source, _Tally]]) -> Iterator[Metric]:
    runs = CounterMetricFamily("syncsource_runs", "Runs that ended, by their result.", labels=[*_OF, "result"])
    rows = CounterMetricFamily("syncsource_rows", "Rows by what became of them.", labels=[*_OF, "change"])
    read = CounterMetricFamily("syncsource_records_read", "Records that sources sent.", labels=_OF)
    billed = CounterMetricFamily("syncsource_documents_billed", "Documents that sources bill.", labels=_OF)
    verified = CounterMetricFamily("syncsource_verifications", "Verifications that ended, by their result.", labels=[*_OF, "result"])
    for source, tally in told:
        labels = [source.ref.namespace, source.ref.name]
        for family, by_word in ((runs, tally.runs), (rows, tally.rows), (verified, tally.verifications)):
            for word, count in by_word.items():
                family.add_metric([*labels, word], count)
        read.add_metric(labels, tally.read)
        if tally.billed:
            billed.add_metric(labels, tally.billed)
    return iter((runs, rows, read, billed, verified))


def _instant(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _is(kind: str) -> Callable[[_Status], float]:
    """1 where the condition is True."""

    def value(status: _Status) -> float:
        return float(any(one.type == kind and one.status == "True" for one in status.conditions))

    return value


def _accuracy(status: _Status) -> float | None:
    return None if status.accuracy is None else float(status.accuracy) / 100


_OF_STATUS: Sequence[tuple[str, str, Callable[[_Status], float | None]]] = (
    ("ready", "Whether the last run succeeded: the condition Ready.", _is(conditions.READY)),
    ("stalled", "Whether it can't go on without somebody: the condition Stalled.", _is(conditions.STALLED)),
    ("suspended", "Whether it is suspended.", _is(conditions.SUSPENDED)),
    ("running", "Whether a run is under way.", lambda status: float(bytes(status.current_run) != b"null")),
    ("consecutive_failures", "Failed runs since the last success.", lambda status: status.consecutive_failures),
    ("last_attempt_timestamp_seconds", "Start of the last run.", lambda status: _instant(status.last_attempt_time)),
    ("last_success_timestamp_seconds", "End of the last run that succeeded.", lambda status: _instant(status.last_success_time)),
    ("next_run_timestamp_seconds", "When the schedule next comes due.", lambda status: _instant(status.next_run_time)),
    ("quarantined_records", "Records in quarantine.", lambda status: status.quarantined),
    ("waiting_conflicts", "Conflicts that wait for people.", lambda status: status.conflicts),
    ("accuracy_ratio", "Share of cells that were equal to the source's when they were last verified.", _accuracy),
    (
        "last_verification_timestamp_seconds",
        "End of the last verification that was carried through.",
        lambda status: _instant(status.verification.time) if status.verification else None,
    ),
)
