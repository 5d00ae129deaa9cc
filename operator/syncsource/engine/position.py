"""How far the read of a slice has come: what a run that commits batch by batch leaves to the next one."""

from __future__ import annotations

from datetime import datetime, tzinfo

import msgspec

from syncsource.engine.windows import Span
from syncsource.records.batch import Batch
from syncsource.records.cursors import cap, higher


class Position(msgspec.Struct, kw_only=True):
    """Kept as JSON beside the cursor. It moves with each page that is staged."""

    span: Span
    """What is read: bounds that stay, however often the read is interrupted."""
    floor: str | None
    """The cursor before; None where everything is read."""
    start: datetime
    """When the read began, by either side's clock: what changed since may be missing, so that the cursor is never later."""
    fence: int
    """The token of the run that began to read."""
    full: bool
    """Whether everything is read, by this slice or with those before it."""
    fresh: bool
    """Whether the table was empty then, or when an earlier read began that came to no end."""
    seen: str | None = None
    """The highest cursor."""
    resume: str | None = None
    """:attr:`syncsource.sources.Page.resume` of the last page that had one; None: the slice is to be read from its beginning."""

    @classmethod
    def parse(cls, text: str | None) -> Position | None:
        """What :meth:`left` was; None where there is none, or one that this version can't read."""
        try:
            return msgspec.json.decode(text, type=cls) if text else None
        except (msgspec.MsgspecError, ValueError):
            return None

    def left(self, *, more: bool, last: bool) -> str | None:
        """What the next run is to know, should this one end here; None: nothing. ``more``: the slice is not read to its end; ``last``: nothing
        follows."""
        found = self if more else msgspec.structs.replace(self, resume=None)
        return msgspec.json.encode(found).decode() if not last and (found.resume or found.fresh) else None

    def again(self, start: datetime, fence: int) -> Position:
        """The same slice from its beginning."""
        return msgspec.structs.replace(self, start=start, fence=fence, seen=None, resume=None)

    def take(self, batch: Batch, zone: tzinfo) -> None:
        """A page is staged."""
        self.seen = higher(self.seen, batch.cursor, zone)
        self.resume = batch.resume or self.resume

    def served(self, at: datetime | None) -> None:
        """The upstream's clock at the first page."""
        self.start = min(self.start, at or self.start)

    def cursor(self, reached: str | None, zone: tzinfo) -> str | None:
        """The cursor after the slice, which reached so far.

        A full read's is what it saw, be it earlier than the last one: so a cursor that went astray is mended.
        """
        return self.floor if reached is None else higher(self.floor, cap(reached, self.start, zone), zone)
