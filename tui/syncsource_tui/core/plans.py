"""A change before it is made: what it concerns, what it will do, how kubectl would do it, and what confirms it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import Any

from syncsource.resource.api import FULL_REFRESH_AT, REQUESTED_AT, SHORT_NAME
from syncsource_tui.core.row import Row

MANY = 10
"""More objects than this must be confirmed by typing their number."""
_KUBECTL_NAMES = 8


class Change(Enum):
    """The value is the verb on the button."""

    TRIGGER = "Trigger"
    FULL = "Full refresh"
    PAUSE = "Pause"
    RESUME = "Resume"


@dataclass(frozen=True, slots=True)
class Target:
    """An object as it was when the plan was made: the uid names it, whatever the cursor does."""

    uid: str
    namespace: str
    name: str
    version: str
    suspended: bool

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Plan:
    """``token``: the value that status will say was handled. ``skipped``: chosen objects that it would not change."""

    change: Change
    context: str
    targets: tuple[Target, ...]
    token: str
    reason: str = ""
    skipped: int = 0

    @property
    def typed(self) -> str:
        """What must be typed to confirm; empty: a key is enough."""
        if len(self.targets) > MANY:
            return str(len(self.targets))
        if self.change is not Change.FULL:
            return ""
        return self.targets[0].name if len(self.targets) == 1 else str(len(self.targets))

    @property
    def title(self) -> str:
        """``Trigger orders``, ``Pause 12 SyncSources``."""
        return f"{self.change.value} {self.targets[0].name if len(self.targets) == 1 else f'{len(self.targets):,} SyncSources'}"

    @property
    def places(self) -> str:
        """The namespaces it touches."""
        names = sorted({target.namespace for target in self.targets})
        return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")

    @property
    def objects(self) -> str:
        """The names, or the first of them and how many more."""
        names = [target.name for target in self.targets]
        return f"{len(names):,}: " * (len(names) > 1) + ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")


def change_of_pause(rows: Sequence[Row]) -> Change:
    """P resumes where all that is chosen is paused, and pauses otherwise."""
    return Change.RESUME if rows and all(row.suspended for row in rows) else Change.PAUSE


def plan(change: Change, rows: Sequence[Row], *, context: str, token: str, reason: str = "") -> Plan:
    """The plan for the rows that ``change`` would change."""
    wanted = [row for row in rows if not (change is Change.PAUSE and row.suspended)]
    targets = tuple(Target(row.uid, row.namespace, row.name, row.version, row.suspended) for row in wanted)
    return Plan(change, context, targets, token, reason, len(rows) - len(wanted))


def effect(planned: Plan) -> list[str]:
    """What will happen, in words."""
    suspended = sum(target.suspended for target in planned.targets)
    lines = [_EFFECTS[planned.change]]
    if planned.change in (Change.TRIGGER, Change.FULL) and suspended:
        who = "It is paused" if len(planned.targets) == 1 else f"{suspended:,} of them are paused"
        lines.append(f"{who}: the operator will refuse the request. Resume first.")
    if planned.skipped:
        lines.append(f"{planned.skipped:,} more are paused already and stay as they are.")
    return lines


_EFFECTS = {
    Change.TRIGGER: "One run now, from the cursor on. Where a run is under way, another follows it.",
    Change.FULL: "One run now that reads everything from the beginning, whatever the cursor says. Rows that are right already are not written.",
    Change.PAUSE: "No scheduled or requested run starts until it is resumed. A run under way ends first.",
    Change.RESUME: "The schedule goes on from now. What was missed or refused meanwhile does not run later.",
}


def patch(planned: Plan, uid: str, version: str = "") -> dict[str, Any]:
    """The merge patch for one object. The uid in it makes the control plane refuse another object of that name, the version any later one."""
    metadata: dict[str, Any] = {"uid": uid, **({"resourceVersion": version} if version else {})}
    if planned.change in (Change.TRIGGER, Change.FULL):
        return {"metadata": {**metadata, "annotations": _annotations(planned)}}
    return {"metadata": metadata, "spec": _suspension(planned)}


def kubectl(planned: Plan) -> list[str]:
    """The same by kubectl, a command for each namespace."""
    ordered = sorted(planned.targets, key=lambda target: (target.namespace, target.name))
    return [
        _command(planned, namespace, [target.name for target in group]) for namespace, group in groupby(ordered, lambda one: one.namespace)
    ]


def _command(planned: Plan, namespace: str, names: Sequence[str]) -> str:
    where = ["--context", planned.context, "-n", namespace] if planned.context else ["-n", namespace]
    shown = [shlex.quote(name) for name in names[:_KUBECTL_NAMES]] + ["…"] * (len(names) > _KUBECTL_NAMES)
    if planned.change in (Change.TRIGGER, Change.FULL):
        values = [f"{name}={value}" for name, value in _annotations(planned).items()]
        return " ".join([*_quoted("kubectl", *where, "annotate", SHORT_NAME), *shown, *_quoted(*values, "--overwrite")])
    body = json.dumps({"spec": _suspension(planned)}, separators=(",", ":"), ensure_ascii=False)
    return " ".join([*_quoted("kubectl", *where, "patch", SHORT_NAME), *shown, *_quoted("--type", "merge", "-p", body)])


def _quoted(*words: str) -> list[str]:
    return [shlex.quote(word) for word in words]


def _annotations(planned: Plan) -> dict[str, str]:
    return {REQUESTED_AT: planned.token} | ({FULL_REFRESH_AT: planned.token} if planned.change is Change.FULL else {})


def _suspension(planned: Plan) -> dict[str, Any]:
    if planned.change is Change.PAUSE:
        return {"suspend": True, "suspendReason": planned.reason}
    return {"suspend": False, "suspendReason": None}
