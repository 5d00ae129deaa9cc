"""What writing rows would do to each of them, found out without writing: the rows are staged and compared, nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

from syncsource.destinations.policy import Policy
from syncsource.destinations.quoting import REFUSED, STAGE
from syncsource.destinations.session import Session
from syncsource.destinations.sieve import Sieve
from syncsource.destinations.statements import Statements
from syncsource.destinations.table import Table
from syncsource.records.batch import Rejected

Action = Literal["Insert", "Update", "Unchanged", "Skip", "Quarantine"]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would become of one row."""

    action: Action
    changed: tuple[str, ...] = ()
    """The columns that an Update sets to something else."""
    reason: str = ""
    message: str = ""
    """Why it would be skipped or quarantined."""


OLDER = Foreseen("Skip", reason="OlderDuplicate", message="a newer record has the same key")
_KEPT = Foreseen("Skip", reason="Exists", message="the table has the row, and spec.write.onExisting is Skip")
_LACKED = Foreseen("Skip", reason="Missing", message="the table has no such row, and spec.write.onMissing is Skip")
_ELSEWHERE = "{} has a row for it, and spec.write.skipIf keeps it out"


def staged_rows(session: Session, statements: Statements) -> set[int]:
    """seq of every row that is staged."""
    return {seq for (seq,) in session.rows(f"SELECT seq FROM {statements.temporary(STAGE)}")}


def compared(session: Session, statements: Statements) -> dict[int, Foreseen]:
    """By seq, what would become of the rows that are staged now."""
    found = groupby(session.rows(statements.foresee()), key=itemgetter(0))
    foreseen = {seq: _foreseen(statements.table, list(matches), statements.policy) for seq, matches in found}
    kept_out = _kept_out(session, statements)
    return foreseen | _collided(session, statements) | kept_out


def _collided(session: Session, statements: Statements) -> dict[int, Foreseen]:
    """Those whose key is another row's only as the columns compare it, and those whose keys find no row of their own."""
    sieve = Sieve(statements)
    if not (sieve.folds or statements.table.candidates):
        return {}
    if sieve.folds:
        session.run(sieve.collisions())
    found = session.rows(f"SELECT seq, reason, message FROM {statements.temporary(REFUSED)} WHERE reason IS NOT NULL")
    return {seq: Foreseen("Quarantine", reason=reason, message=message) for seq, reason, message in found}


def _kept_out(session: Session, statements: Statements) -> dict[int, Foreseen]:
    """Those that another table has. Before any row is refused."""
    if not statements.table.skip_if:
        return {}
    sieve = Sieve(statements)
    if not statements.table.candidates:
        session.run(sieve.skip())
    told = Foreseen("Skip", reason="ExistsIn", message=_ELSEWHERE.format(" or ".join(one.name for one in statements.table.skip_if)))
    return {seq: told for (seq,) in session.rows(sieve.skipped())}


def refused(rejected: Rejected) -> Foreseen:
    """Of a row that its columns can't hold."""
    return Foreseen("Quarantine", reason=rejected.reason, message=rejected.message)


def _foreseen(table: Table, matches: Sequence[Sequence[Any]], policy: Policy) -> Foreseen:
    """``matches``: seq, whether the table has no such row, and for each column that may be changed whether it differs."""
    if len(matches) > 1:
        listed = ", ".join(column.name for column in table.columns if column.key)
        return Foreseen("Quarantine", reason="AmbiguousKey", message=f"the key ({listed}) finds more than one row of the table")
    _, missing, *differs = matches[0]
    if missing:
        return Foreseen("Insert") if policy.insert else _LACKED
    if not policy.update:
        return _KEPT
    others = [column.name for column in table.columns if column.changeable]
    changed = tuple(name for name, different in zip(others, differs, strict=True) if different)
    return Foreseen("Update", changed) if changed else Foreseen("Unchanged")
