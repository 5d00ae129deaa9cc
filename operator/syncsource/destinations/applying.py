"""From the staging table to the table: compare, lock, compare again, update, insert; and which rows are to blame where it fails."""

from __future__ import annotations

import random
from array import array
from functools import partial

from syncsource.destinations.absent import Absent, Owner, returned
from syncsource.destinations.applied import Applied, Guard
from syncsource.destinations.bases import Merging
from syncsource.destinations.dialect import Refusal
from syncsource.destinations.images import Images
from syncsource.destinations.matching import Matching
from syncsource.destinations.merging import Merge
from syncsource.destinations.policy import Policy
from syncsource.destinations.quoting import ASIDE, CHANGES, REFUSED, WORTH_STATISTICS
from syncsource.destinations.session import RowRefused, Session
from syncsource.destinations.sieve import Sieve
from syncsource.destinations.staging import gather_statistics
from syncsource.destinations.statements import MESSAGE_LIMIT, TOLD, Span, Statements
from syncsource.destinations.table import Table
from syncsource.errors import GuardError, RetryableError
from syncsource.records.images import Taken

_ROUNDS = 10
"""Comparisons before we give up against people who keep changing the same rows."""
SAMPLED = 1000
"""Rows from which a few are looked at before all are written."""
SAMPLE = 100
"""How many are looked at then."""
_PASSES = 20
"""Tries of rows that depend on others of the run."""
_NOT_TAKEN = Refusal("ConstraintViolation", "the table did not take the row and gave no error: a trigger or a rule drops it")


class Applying:
    """Writes what is staged, inside the caller's transaction."""

    def __init__(
        self, session: Session, table: Table, policy: Policy, guard: Guard, owner: Owner | None, matching: Matching | None = None
    ) -> None:
        self._session, self._table = session, table
        self._policy, self._guard, self._owner, self._matching = policy, guard, owner, matching
        back = returned(table) if table.owned is not None and table.marker is not None else None
        merge = Merge(session.dialect, table, owner.source, policy.merge) if owner is not None and policy.merge is not None else None
        self._statements = Statements(session.dialect, table, policy, back, merge)
        self._sieve = Sieve(self._statements)
        self.merging = Merging(session, table, self._statements, merge) if merge is not None else None
        self.images = Images(session, table, self._statements)
        self.absent = (
            Absent(session, table, self._statements, self.images, owner) if owner is not None and table.owned is not None else None
        )
        self._later = array("q")
        """Refused rows that others of the run may make possible: twice their seq, and 1 more where they are to be inserted."""
        self.inserted = self.updated = self.refused = self.skipped = self.unfound = 0
        self._uncertain = 0
        """Rows set aside to be compared again."""
        self._counts: dict[int, int] = {}
        """Of the changes, by what becomes of them."""
        self._staged = 0
        self._progress = self._listed = self._whole = self._all = self._split = False
        """Whether a pass wrote anything, whether the changes are those of the first comparison, which is of all rows, whether nearly all rows of the
        table are among them, whether all staged rows are, and whether merging left columns of them as they were."""

    def run(self, staged: int) -> None:
        """Writes the rows staged, which are so many."""
        self._staged = staged
        if self._matching is not None:
            self.skipped = self._matching.kept_out
            self.unfound = self._matching.refused + self._matching.find()
            self.refused += self.unfound
            if self.unfound and self.absent is not None:
                self.absent.hold("it is not known which rows quarantined records are of")
        else:
            self.skipped = self._session.run(self._sieve.skip()) if self._table.skip_if else 0
            self.refused += 0 if self._table.key_unique else self._session.run(self._sieve.ambiguous())
        if self._sieve.folds:
            self.refused += self._session.run(self._sieve.collisions())
        empty = self._session.value(f"SELECT 1 FROM {self._statements.target} LIMIT 1") is None
        plain = empty and self._policy.insert and not (self.skipped or self.refused)
        self.images.expect(staged if plain else 0)
        inserted = plain and self._insert_all(staged)
        if not inserted:
            gather_statistics(self._session, self._table, staged)
            if empty or not self._change_every(staged):
                self._rounds(empty=empty)
                self._try_again()
        if self._matching is not None:
            self._match_inserted(self._matching)
        if self.absent is not None:
            self.absent.claim()
        if self.merging is not None:
            news = sum(self._counts.values()) if self._listed else None
            met = not inserted and (news is None or (news > 0 if self._split else self._counts.get(TOLD, 0) > 0))
            self.merging.end(self._staged, news, met=met, whole=self._whole, listed=news is not None and not self._all)
        if self._policy.update and not self._policy.insert:
            self.skipped += int(self._session.value(self._statements.missing()))

    def _match_inserted(self, matching: Matching) -> None:
        """What was inserted is known by its primary key from now on."""
        if self.inserted:
            matching.forget_lost()
            matching.find_inserted(self.images)
        matching.end(self._owner.source if self._owner is not None else None)

    def sweep(self) -> Applied:
        """See :meth:`syncsource.destinations.Writer.sweep`."""
        assert self.absent is not None
        found = self.absent.sweep()
        if found:
            self._guard(found, self._rows)
        self.absent.write()
        return Applied(deleted=self.absent.done, held=self.absent.held, taken=self.taken())

    def taken(self) -> Taken | None:
        """The images of all that was written."""
        return self.images.taken(self.inserted + self.updated + (self.absent.done if self.absent is not None else 0))

    def _insert_all(self, staged: int) -> bool:
        """The short way into an empty table. False: nothing was written, take the long one."""
        try:
            with self._session.savepoint():
                self.inserted = _all_or_none(self._session.run(self._statements.insert(None, listed=False)), staged)
                self.images.after_insert(None, listed=False)
        except RowRefused:
            self.inserted = 0
            return False
        return True

    def _change_every(self, staged: int) -> bool:
        """Changes all that is staged without a comparison before, where a sample says that all of it will be changed. False: not all was, or nothing."""
        if not self._foresees_all(staged):
            return False
        self.images.expect(staged)
        self._all = True
        self._whole = bool(self._session.value(self._statements.fewer(staged * 10 // 9)))
        try:
            with self._session.savepoint():
                self.updated = self._update_all(staged, locked=False)
        except RowRefused:
            self._all = False
            return False
        self._all = self._listed = self.updated == staged
        self._counts = {0: staged}
        return self._all

    def _foresees_all(self, staged: int) -> bool:
        """Also that they may be written: rows that are to go, go first, and too many are not written at all."""
        plain = self._policy.update and self.absent is None and not (self.refused or self.skipped)
        if not plain or staged < SAMPLED:
            return False
        [(seen, changed)] = self._session.rows(self._statements.sample(random.sample(range(staged), SAMPLE)))
        return 0 < seen == changed and self._may_change(staged)

    def _may_change(self, rows: int) -> bool:
        try:
            self._guard(rows, self._rows)
        except GuardError:
            return False
        return True

    def _rounds(self, *, empty: bool) -> None:
        for number in range(_ROUNDS):
            changed, new = self._compare(again=number > 0)
            if not number:
                self._begin(changed + new, empty)
            if changed:
                self._update_changed(changed, again=number > 0)
            if new:
                self._insert_new(new)
            if not self._uncertain:
                return
        raise RetryableError(f"{self._table.name}: its rows change faster than they can be compared", reason="DatabaseBusy")

    def _begin(self, changes: int, empty: bool) -> None:
        """What the source has no more goes first: what comes may need its unique values."""
        changes += self.updated + (self.absent.find() if self.absent is not None else 0)
        if not empty:
            self._guard(changes, self._rows)
        self.images.expect(changes)
        if self.absent is not None:
            self.absent.write()

    def _compare(self, *, again: bool) -> tuple[int, int]:
        """Lists what to write; returns how many rows are to be changed, and how many to be inserted."""
        if again:
            self._empty(CHANGES)
        out = self.refused + self.skipped > 0
        self._session.run(self._statements.compare(pending=again, refused=out))
        self._listed = not (again or self.updated)
        if again:
            self._empty(ASIDE)
            self._uncertain = 0
        self._counts = counts = dict(
            self._session.rows(f"SELECT is_new, count(*) FROM {self._statements.temporary(CHANGES)} GROUP BY is_new")
        )
        return counts.get(0, 0), counts.get(1, 0)

    def _update_changed(self, changed: int, *, again: bool) -> None:
        """What writes the rows locks them, too; rows that were locked before it are written for certain, whatever people do."""
        if again:
            self._lock(changed)
        self._whole = changed >= WORTH_STATISTICS and bool(self._session.value(self._statements.fewer(changed * 10 // 9)))
        self._all = not again and changed == self._staged and self._table.marker is None
        try:
            with self._session.savepoint():
                done = self._update_all(changed, locked=again)
        except RowRefused:
            self._split = True
            if not again:
                self._lock(changed)
            self._bisect(insert=False)
            return
        self.updated += done
        if done != changed and not again:
            self._uncertain += self._session.run(self._statements.unsettled())

    def _lock(self, changed: int) -> None:
        lock = self._statements.lock()
        if lock is not None and self._session.value(lock) != changed:
            self._uncertain += self._session.run(self._statements.lost())

    def _insert_new(self, new: int) -> None:
        try:
            with self._session.savepoint():
                self.inserted += self._insert(None, new)
        except RowRefused:
            self._bisect(insert=True)

    def _bisect(self, *, insert: bool) -> None:
        """Writes by halves what can't be written at once, until the rows to blame stand alone."""
        for statement in self._session.dialect.bisecting():
            self._session.run(statement)
        found = self._session.stream(f"SELECT seq FROM {self._statements.temporary(CHANGES)} WHERE is_new = {int(insert)} ORDER BY seq")
        rows = array("q", (seq for (seq,) in found))
        spans = [(0, len(rows))]
        while spans:
            low, high = spans.pop()
            try:
                self._write((rows[low], rows[high - 1]), high - low, insert)
            except RowRefused as refused:
                if high - low == 1:
                    self._refuse(rows[low], refused.refusal, insert)
                else:
                    middle = (low + high) // 2
                    spans += [(middle, high), (low, middle)]

    def _write(self, span: Span, expected: int, insert: bool) -> None:
        with self._session.savepoint():
            done = self._insert(span, expected) if insert else self._update(span)
        self.inserted += done * insert
        self.updated += done * (not insert)
        self._progress = self._progress or bool(done)

    def _insert(self, span: Span | None, expected: int) -> int:
        done = _all_or_none(self._session.run(self._statements.insert(span, listed=True)), expected)
        self.images.after_insert(span, listed=True)
        return done

    def _update_all(self, changed: int, *, locked: bool) -> int:
        """Of rows that are merged those first that get all that is staged: most do, and it costs half as much."""
        listed = not self._all
        update = partial(self._statements.update, None, locked=locked or self.images.kept, whole=self._whole, listed=listed)
        imaged = self.images.before_update(None, listed=listed)
        done = self._session.run(update(split=False)) if self.merging is not None else 0
        self._split = done != changed
        done += self._session.run(update()) if self._split else 0
        if imaged not in (None, done) and not locked:
            raise RowRefused(_NOT_TAKEN)  # somebody came between a row's image and its change: once more, with all of them locked before
        self.images.after_update(None, listed=listed)
        return done

    def _update(self, span: Span) -> int:
        self.images.before_update(span)
        done = self._session.run(self._statements.update(span))
        self.images.after_update(span)
        return done

    def _refuse(self, seq: int, refusal: Refusal, insert: bool) -> None:
        if insert and refusal.depends and self._session.value(self._statements.exists(seq)) is not None:
            self._session.run(f"INSERT INTO {self._statements.temporary(ASIDE)} VALUES ({seq})")  # somebody else just inserted its key
            self._uncertain += 1
            return
        field = refusal.column if refusal.column in self._table.names else None
        self._session.run(self._statements.refuse(), (seq, refusal.reason, refusal.message[:MESSAGE_LIMIT], field))
        self.refused += 1
        if refusal.depends:
            self._later.append(seq * 2 + insert)

    def _try_again(self) -> None:
        """A unique value or a foreign key may have come free with another row of the run. Each pass goes the other way round, so
        that chains resolve in whichever direction they run."""
        for _ in range(_PASSES):
            if not (self._progress and self._later):
                return
            self._progress, later, self._later = False, self._later[::-1], array("q")
            self._relist(later)
            for packed in later:
                self._write_again(*divmod(packed, 2))

    def _write_again(self, seq: int, insert: int) -> None:
        try:
            self._write((seq, seq), 1, bool(insert))
        except RowRefused:
            self._later.append(seq * 2 + insert)
        else:
            self._session.run(f"DELETE FROM {self._statements.temporary(REFUSED)} WHERE seq = {seq}")
            self.refused -= 1

    def _relist(self, rows: array[int]) -> None:
        self._listed = False
        self._empty(CHANGES)
        mark = self._session.dialect.placeholder
        self._session.run_many(
            f"INSERT INTO {self._statements.temporary(CHANGES)} VALUES ({mark}, {mark}, 0)", (divmod(row, 2) for row in rows)
        )
        if self._statements.returned is not None:
            self._session.run(self._statements.back_again())

    def _rows(self) -> int:
        return int(self._session.value(self._statements.rows()))

    def _empty(self, table: str) -> None:
        self._session.run(f"DELETE FROM {self._statements.temporary(table)}")


def _all_or_none(done: int, expected: int) -> int:
    """Fewer rows than there were to insert: something dropped some, and which must be found out."""
    if done != expected:
        raise RowRefused(_NOT_TAKEN)
    return done
