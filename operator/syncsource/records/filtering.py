"""Which records are wanted: ``spec.filter``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from syncsource.records import paths
from syncsource.records.faults import Faults


class Filter:
    """A JMESPath condition on records. As there, null, false and what is empty are not true; 0 is."""

    def __init__(self, expression: str) -> None:
        self._find = paths.finder(expression)

    def kept(self, records: Sequence[Any], faults: Faults) -> list[int]:
        """The places of the records that are wanted, and of those at fault: nothing is left out for an error."""
        return [index for index, record in enumerate(records) if index in faults or self._wanted(record, index, faults)]

    def _wanted(self, record: Any, index: int, faults: Faults) -> bool:
        try:
            found = self._find(record)
        except paths.ExpressionFailed as error:
            faults.add(index, "FilterFailed", f"spec.filter can't be applied to the record: {error}")
            return True
        return found is not None and found is not False and found not in ("", [], {})
