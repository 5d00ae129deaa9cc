"""Limits of the spec that stop a run before it writes anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from fractions import Fraction

from syncsource.errors import GuardError
from syncsource.records.batch import Rejected
from syncsource.resource.spec import SyncSourceSpec
from syncsource.resource.validating import Validation


class Invalid:
    """Tallies the rejected records of a run by reason and field; of their contents it keeps nothing."""

    def __init__(self, validation: Validation) -> None:
        self._validation = validation
        self._tally: Counter[tuple[str, str]] = Counter()

    def add(self, rejected: Iterable[Rejected]) -> None:
        """Count these records."""
        self._tally.update((one.reason, one.field or "") for one in rejected)

    def copy(self) -> Invalid:
        """What was counted so far, apart."""
        made = Invalid(self._validation)
        made.merge(self)
        return made

    def merge(self, other: Invalid) -> None:
        """Count what another one has counted."""
        self._tally.update(other._tally)

    @property
    def count(self) -> int:
        """Records rejected so far."""
        return self._tally.total()

    def summary(self) -> str:
        """For people: ``3 MissingKey (booking_no), 1 InvalidValue (total)``."""
        parts = [f"{count:,} {reason}" + (f" ({field})" if field else "") for (reason, field), count in self._tally.most_common(5)]
        return ", ".join(parts) + (", …" if len(self._tally) > 5 else "")

    def check(self, read: int) -> None:
        """Raises GuardError where the spec allows fewer invalid records than there are of ``read``."""
        if self.count and self._validation.on_invalid == "Fail":
            raise GuardError(f"{self._told(read)}, and spec.validation.onInvalid is Fail; nothing was written", reason="InvalidRecords")
        limit = self._validation.max_invalid
        if limit is not None and self.count > _allowed(limit, read):
            raise GuardError(
                f"{self._told(read)}, more than spec.validation.maxInvalid ({limit}); nothing was written", reason="TooManyInvalid"
            )

    def _told(self, read: int) -> str:
        return f"{self.count:,} of {read:,} records are invalid: {self.summary()}"


class Limits:
    """What a run may do to the table."""

    def __init__(self, spec: SyncSourceSpec) -> None:
        self._safety = spec.safety
        least = spec.safety.min_rows
        self._least = least if least is not None else int(spec.write.on_absent != "Ignore")

    def check_read(self, rows: int) -> None:
        """Raises GuardError where a full read brought fewer valid records than it must."""
        if rows < self._least:
            raise GuardError(
                f"the source has {rows:,} valid records, fewer than spec.safety.minRows ({self._least:,}); nothing was written: "
                "lower it if that is right",
                reason="TooFewRows",
            )

    def check_changes(self, changes: int, rows: Callable[[], int]) -> None:
        """Raises GuardError where more rows would be written than the spec allows. ``rows`` counts those of the table."""
        limit = self._safety.max_changed
        if limit is None or (isinstance(limit, int) and changes <= limit):
            return
        there = rows()
        if changes > _allowed(limit, there):
            raise GuardError(
                f"{changes:,} rows would be inserted, updated or deleted in a table of {there:,}, more than spec.safety.maxChanged ({limit}); "
                "nothing was written: raise it if that is right",
                reason="TooManyChanged",
            )


def _allowed(limit: int | str, read: int) -> Fraction:
    return Fraction(limit) if isinstance(limit, int) else Fraction(int(limit.rstrip("%")) * read, 100)
