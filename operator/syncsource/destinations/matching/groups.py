"""Rows of a table that are one record by several keys: each group is that of the strongest key that its rows have complete."""

from __future__ import annotations

from syncsource.destinations.matching.known import Known
from syncsource.destinations.quoting import Joined, quoted
from syncsource.destinations.session import Session
from syncsource.destinations.table import Table

_KEYED, _ONE, _CHANGED = "syncsource_keyed", "syncsource_one", "syncsource_changed"
GROUP = "syncsource_group"


class Groups:
    """Found out once, for one connection. ``t`` is the table, ``k`` its rows by their groups."""

    def __init__(self, session: Session, table: Table) -> None:
        self._session, self._table, self._known = session, table, Known(session, table)
        self._names = [quoted(found.name) for found in table.identity]
        self._keyed = self._known.temporary(_KEYED)
        self._known.borrow()
        self._find()

    @property
    def joined(self) -> str:
        """What joins the groups to ``t``."""
        return f"JOIN {self._keyed} AS k ON {' AND '.join(f'k.{name} = t.{name}' for name in self._names)}"

    def leave_changed(self) -> None:
        """Rows whose keys people changed since are in no group. Where they are locked."""
        self._known.look()
        changed = f"SELECT {', '.join(f'g.{name}' for name in self._names)} FROM {self._known.stale} AS g"
        self._known.replace(_CHANGED, changed)
        on = " AND ".join(f"t.{name} = z.{name}" for name in self._names)
        joined = [Joined(f"{self._known.temporary(_CHANGED)} AS z")]
        self._session.run(self._session.dialect.updating(self._keyed, [(GROUP, "NULL")], [], joined, on, "1 = 1"))

    def _find(self) -> None:
        """A row without a stronger key belongs to those that have one and its weaker one, if these are one group alone."""
        self._known.look()
        keys = [f"w.d{rank}" for rank in range(len(self._table.candidates))]
        primary = ", ".join(f"g.{name}" for name in self._names)
        self._known.replace(
            _KEYED, f"SELECT {primary}, w.best, {', '.join(keys)}, coalesce({', '.join(keys)}, NULL) AS {GROUP} FROM {self._known.fresh}"
        )
        for rank in range(1, len(keys)):
            stronger = f"SELECT k.d{rank} AS sought, min(k.{GROUP}) AS found FROM {self._keyed} AS k WHERE k.best < {rank} AND k.d{rank} IS NOT NULL"
            self._known.replace(_ONE, f"{stronger} GROUP BY k.d{rank} HAVING min(k.{GROUP}) = max(k.{GROUP})")
            joined = [Joined(f"{self._known.temporary(_ONE)} AS z")]
            where = f"t.best = {rank}"
            self._session.run(self._session.dialect.updating(self._keyed, [(GROUP, "z.found")], [], joined, f"t.d{rank} = z.sought", where))
        for statement in self._session.dialect.analyzed(self._keyed):
            self._session.run(statement)
