"""A world without I/O for the core: an API server's objects, watch events that may come late, and runs that end when told to."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from syncsource.controller.core.fleet import Fleet
from syncsource.controller.core.happening import (
    Announce,
    Cancel,
    Happening,
    ObjectDeleted,
    ObjectSeen,
    RunAbandoned,
    RunEnded,
    RunStarted,
    SecretSeen,
    Settle,
    Start,
    StatusWritten,
    TimePassed,
    VerificationEnded,
    Verify,
    Write,
)
from syncsource.controller.core.observed import Ref, observe, read_status
from syncsource.controller.core.packed import unpack
from syncsource.engine.plan import Accuracy, Counts, Next, Outcome
from syncsource.resource import api
from syncsource.resource.status import Condition, SyncSourceStatus

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
SUCCESS: dict[str, Any] = {"result": "Succeeded", "counts": Counts(read=3, inserted=1, unchanged=2), "seconds": 1.0}
TIMEOUT: dict[str, Any] = {"result": "Failed", "next": Next.RETRY, "reason": "Timeout", "message": "no answer in 30s", "seconds": 30.0}
MISMATCH: dict[str, Any] = {"result": "Failed", "next": Next.SCHEDULE, "reason": "SchemaMismatch", "message": "total is no number"}
UNAUTHORIZED: dict[str, Any] = {"result": "Failed", "next": Next.SCHEDULE, "reason": "AuthFailed", "message": "401"}
NO_SECRET: dict[str, Any] = {"result": "Failed", "next": Next.STALL, "reason": "SecretNotFound", "message": "Secret db has no key url"}
INTERRUPTED: dict[str, Any] = {"result": "Interrupted", "next": Next.RETRY, "reason": "Interrupted", "message": "stopped"}

ACCURATE: dict[str, Any] = {
    "result": "Succeeded",
    "verified": Accuracy(
        accuracy="83.3333",
        sample=None,
        complete=True,
        cells=6,
        rows=3,
        missing=0,
        different=1,
        ambiguous=0,
        extra=2,
        quarantined=0,
        skipped=0,
        columns={"name": 1},
    ),
}


def spec(**changes: Any) -> dict[str, Any]:
    """A spec; the changes replace its fields."""
    whole = {
        "source": {"http": {"baseURL": "http://upstream.example/v1"}},
        "fields": [{"name": "id", "type": "integer"}],
        "keys": [{"fields": ["id"]}],
        "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "rows"}},
    }
    return {**whole, **changes}


EVERY = {"every": "5m"}
CRON = {"cron": "0 * * * *"}


class World:
    """``slots``: runs at a time."""

    def __init__(self, slots: int = 2) -> None:
        self.now = START
        self.slots = slots
        self.objects: dict[str, dict[str, Any]] = {}
        self.writes = 0
        self.events: list[Announce] = []
        self.started: list[tuple[str, Start]] = []
        self.verified: list[tuple[str, Verify]] = []
        self.left_behind = INTERRUPTED
        """What settle() finds out about runs that a dead operator left."""
        self._versions = count(1)
        self._ids = count(1)
        self.restart()

    # The operator

    def restart(self) -> None:
        """The operator dies, and another begins: it knows nothing but what the API server has."""
        self.fleet = Fleet(slots=self.slots, new_id=lambda now: f"run{next(self._ids):05}")
        self.starting: dict[str, Start] = {}
        self.running: dict[str, Start] = {}
        self.left: dict[str, Settle] = {}
        self.verifying: dict[str, Verify] = {}
        self.cancelled: set[str] = set()
        self.dirty: dict[str, Ref] = {}
        self.watch: list[Happening] = [ObjectSeen(observe(copy.deepcopy(manifest))) for manifest in self.objects.values()]

    def feed(self, happening: Happening) -> None:
        """Something happens; what is decided is remembered, not yet done."""
        for decision in self.fleet.on(happening, self.now):
            match decision:
                case Start():
                    self.starting[decision.run.id] = decision
                case Verify():
                    self.verifying[decision.run.id] = decision
                    self.verified.append((decision.ref.key, decision))
                case Settle():
                    self.left[decision.run.id] = decision
                case Cancel(run=run):
                    self.cancelled.add(run)
                case Write(ref=ref):
                    self.dirty[ref.key] = ref
                case Announce():
                    self.events.append(decision)

    def deliver(self) -> None:
        """The oldest watch event arrives."""
        self.feed(self.watch.pop(0))

    def write(self, key: str) -> None:
        """The status of that source is written, if the object is as expected."""
        ref = self.dirty.pop(key)
        source = self.fleet.source(key)
        if source is None or not source.dirty or source.starting or source.ref != ref:
            return
        version = self._patch(source.ref, source.packed_status, source.version)
        if version:
            self.feed(StatusWritten(ref=source.ref, packed=source.packed_status, version=version))
        source = self.fleet.source(key)
        if source is not None and source.dirty:
            self.dirty[key] = source.ref

    def begin(self, id_: str) -> None:
        """The start of that run is written, or it is abandoned."""
        start = self.starting.pop(id_)
        key = start.ref.key
        packed, source = self.fleet.start_status(key, id_, self.now), self.fleet.source(key)
        version = self._patch(start.ref, packed, source.version) if packed and source else ""
        if not version or packed is None:
            self.feed(RunAbandoned(key=key, run=id_))
            return
        self.running[id_] = start
        self.started.append((key, start))
        self.feed(RunStarted(key=key, run=id_, at=self.now, packed=packed, version=version))

    def fail_start(self, id_: str, outcome: dict[str, Any]) -> None:
        """The run fails before its start is written."""
        start = self.starting.pop(id_)
        self.feed(RunEnded(key=start.ref.key, run=id_, outcome=Outcome(run=id_, **outcome)))

    def end(self, id_: str, outcome: dict[str, Any]) -> None:
        """The run ends."""
        start = self.running.pop(id_)
        self.feed(RunEnded(key=start.ref.key, run=id_, outcome=Outcome(run=id_, **outcome)))

    def verify(self, outcome: dict[str, Any]) -> None:
        """The one verification that is under way ends so, and all that follows happens."""
        (id_,) = self.verifying
        self.end_verification(id_, outcome)
        self.settle()

    def end_verification(self, id_: str, outcome: dict[str, Any]) -> None:
        """That verification ends so."""
        verification = self.verifying.pop(id_)
        self.feed(VerificationEnded(key=verification.ref.key, run=id_, outcome=Outcome(run=id_, **outcome)))

    def find_out(self, id_: str, outcome: dict[str, Any]) -> None:
        """The ledger tells what became of a run that a dead operator left."""
        left = self.left.pop(id_)
        self.feed(RunEnded(key=left.ref.key, run=id_, outcome=Outcome(run=id_, **outcome)))

    def _patch(self, ref: Ref, packed: bytes, version: str) -> str:
        held = self.objects.get(ref.name)
        if held is None or held["metadata"]["uid"] != ref.uid:
            self.feed(ObjectDeleted(ref))
            return ""
        if held["metadata"]["resourceVersion"] != version:
            self.feed(ObjectSeen(observe(copy.deepcopy(held))))
            return ""
        self.writes += 1
        held["status"] = unpack(packed)
        self._changed(held)
        return str(held["metadata"]["resourceVersion"])

    # People

    def create(self, name: str, /, annotations: dict[str, str] | None = None, **changes: Any) -> None:
        """Somebody creates an object."""
        metadata = {
            "name": name,
            "namespace": "default",
            "uid": f"uid-{next(self._ids)}",
            "generation": 1,
            "creationTimestamp": self.now.isoformat(),
            "annotations": annotations or {},
        }
        self.objects[name] = {"metadata": metadata, "spec": spec(**changes)}
        self._changed(self.objects[name])

    def edit(self, name: str, /, **changes: Any) -> None:
        """Somebody changes fields of the spec."""
        held = self.objects[name]
        new = {**held["spec"], **changes}
        if json.dumps(new) != json.dumps(held["spec"]):
            held["spec"] = new
            held["metadata"]["generation"] += 1
            self._changed(held)

    def annotate(self, name: str, /, requested: str | None = None, full: str | None = None, verify: str | None = None) -> None:
        """Somebody asks for a run, or a verification."""
        given = {api.REQUESTED_AT: requested, api.FULL_REFRESH_AT: full, api.VERIFY_REQUESTED_AT: verify}
        self.objects[name]["metadata"]["annotations"].update({key: value for key, value in given.items() if value is not None})
        self._changed(self.objects[name])

    def delete(self, name: str, *, seen: bool = True) -> None:
        """Somebody deletes the object; the watch may miss it."""
        held = self.objects.pop(name)
        if seen:
            self.watch.append(ObjectDeleted(observe(held).ref))

    def secret(self, name: str = "db", *, listed: bool = False) -> None:
        """A Secret changes."""
        self.watch.append(SecretSeen(namespace="default", name=name, version=str(next(self._versions)), listed=listed))

    def _changed(self, held: dict[str, Any]) -> None:
        held["metadata"]["resourceVersion"] = str(next(self._versions))
        self.watch.append(ObjectSeen(observe(copy.deepcopy(held))))

    # Time

    def settle(self) -> None:
        """All that is under way happens, but runs don't end and no time passes."""
        while self.watch or self.starting or self.dirty or self.left:
            while self.watch:
                self.deliver()
            for id_ in list(self.left):
                self.find_out(id_, self.left_behind)
            for id_ in list(self.starting):
                self.begin(id_)
            for key in list(self.dirty):
                self.write(key)

    def wait(self, **span: float) -> None:
        """Time passes, all at once."""
        self.now += timedelta(**span)
        self.feed(TimePassed())
        self.settle()

    def wait_until_due(self) -> None:
        """Time passes until the first object is due."""
        status = self.status(next(iter(self.objects)))
        due = status.next_retry_time or status.next_run_time
        assert due is not None
        self.now = max(self.now, due)
        self.feed(TimePassed())
        self.settle()

    # What tests look at

    def status(self, name: str) -> SyncSourceStatus:
        """The object's status at the API server."""
        return read_status(self.objects[name].get("status"))

    def condition(self, name: str, type_: str) -> Condition | None:
        """One of its conditions."""
        return next((condition for condition in self.status(name).conditions if condition.type == type_), None)

    def told(self, name: str, type_: str) -> tuple[str, str] | None:
        """Status and reason of one of its conditions."""
        found = self.condition(name, type_)
        return (found.status, found.reason) if found else None

    @property
    def only_run(self) -> str:
        """The one run that is under way."""
        (id_,) = self.running
        return id_

    def run(self, outcome: dict[str, Any]) -> None:
        """The one run that is under way ends so, and all that follows happens."""
        self.end(self.only_run, outcome)
        self.settle()

    @property
    def triggers(self) -> list[str]:
        """Why runs started, in order."""
        return [start.run.trigger for _, start in self.started]

    @property
    def reasons(self) -> list[str]:
        """Reasons of the Events, in order."""
        return [event.reason for event in self.events]

    def put_status(self, name: str, status: SyncSourceStatus) -> None:
        """Somebody else writes the status."""
        self.objects[name]["status"] = json.loads(status.model_dump_json(by_alias=True, exclude_none=True))
        self._changed(self.objects[name])
