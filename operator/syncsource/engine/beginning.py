"""Where the read of a partition begins: with what the last one left in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo

from syncsource import ledger
from syncsource.engine.parts import Setting
from syncsource.engine.position import Position
from syncsource.engine.windows import Span, slices, windows


@dataclass(frozen=True, slots=True)
class Beginning:
    """Of one partition in one run."""

    setting: Setting
    found: ledger.Cursor | None
    """What the last read left behind, unless it was of another configuration."""
    cursor: str | None
    """The one to read from; None: everything is read."""
    state: str | None
    """What the source is given of what it remembers."""
    left: Position | None
    """Where a read ended early that is to go on."""
    full: bool
    """Whether everything is read."""
    fresh: bool
    """Whether the table was empty before all that was read since the last complete read."""

    @classmethod
    def of(cls, setting: Setting, partition: str) -> Beginning:
        """As the ledger has it."""
        with setting.database.engine.connect() as connection:
            found = ledger.cursor(connection, setting.plan.identity, partition)
        found = found if found and found.config_hash == setting.config_hash else None
        kept = None if setting.plan.full else found
        cursor = kept.text if kept and setting.spec.incremental else None
        state = kept.state if kept and kept.state is not None and _settled(setting, partition) else None
        known = Position.parse(kept.position) if kept and setting.batch_rows else None
        left = known if known and known.resume else None
        full = left.full if left else cursor is None and state is None and not setting.plan.files.handed
        return cls(setting, found, cursor, state, left, full, known.fresh if known else setting.fresh)

    @property
    def standing(self) -> str | None:
        """The cursor in the ledger, which stays until the first slice is read to its end."""
        return self.found.text if self.found and self.setting.spec.incremental else None

    @property
    def taken(self) -> str | None:
        """What the source remembers of pieces that it takes once: they stay taken, however a read ends."""
        return self.found.state if self.found and self.setting.spec.source.chosen.takes_once else None

    def spans(self, zone: tzinfo) -> Iterator[Span]:
        """The slices that are to be read; without the first one where a read of that goes on."""
        incremental, now, left = self.setting.spec.incremental, self.setting.started_at, self.left
        if left is None:
            return slices(incremental, self.cursor, now, zone)
        return iter(()) if left.span.last or incremental is None else windows(incremental, left.span.until, now, zone)

    def position(self, span: Span, floor: str | None) -> Position:
        """At the beginning of a slice. ``floor``: the cursor that was committed before it."""
        setting = self.setting
        fence = self.left.fence if self.left else setting.fence.token
        return Position(span=span, floor=floor, start=setting.started_at, fence=fence, full=self.full, fresh=self.fresh)


def _settled(setting: Setting, partition: str) -> bool:
    """A source that finds nothing new leaves things as they are: only where they are as a complete read left them.
    Where pieces are taken once, what is in quarantine stays for people to mend."""
    once = setting.spec.source.chosen.takes_once
    return once or not ledger.has_quarantined(setting.database.engine, setting.plan.identity, partition)
