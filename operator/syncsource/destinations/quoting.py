"""Names in statements."""

from __future__ import annotations

STAGE = "syncsource_stage"
"""seq, the run's order of reading; cursor; c0, c1, … the mapped columns."""
CHANGES = "syncsource_changes"
"""seq of the rows to write, and whether the table has none for their key."""
PENDING = "syncsource_pending"
"""seq of the rows that somebody else's writing made uncertain: they are compared again."""
REFUSED = "syncsource_refused"
"""seq of the rows that can't be written, with why."""
LOSERS = "syncsource_losers"
"""seq of the rows that a newer one of the same key replaces."""


def quoted(*parts: str | None) -> str:
    """A name of several parts, quoted; parts that are None are left out."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts if part is not None)
