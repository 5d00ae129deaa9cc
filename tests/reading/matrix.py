"""The generated matrix: every fault, at every position of the page, with every kind of pagination."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from tests.reading.stage import PAGES
from tests.upstream import KINDS, Kind
from tests.upstream.faults import FAULTS, RETRY, Fault

SOAK = bool(os.environ.get("SYNCSOURCE_TEST_SOAK"))
POSITIONS = {"first": 1, "middle": PAGES - 1, "last": PAGES, "after": PAGES + 1}


@dataclass(frozen=True)
class Case:
    """One page of one kind that is spoilt in one way."""

    fault: Fault
    kind: Kind
    position: str

    def __str__(self) -> str:
        return f"{self.kind.name}-{self.position}-{self.fault.name}"

    @property
    def page(self) -> int:
        """The page's number."""
        return POSITIONS[self.position]


def cases() -> list[Case]:
    """Every fault with five kinds of pagination at one position each, all of them in turn; in a soak with every kind at every position."""
    found = []
    for row, fault in enumerate(FAULTS):
        kinds = KINDS if SOAK else [KINDS[(row + step) % len(KINDS)] for step in range(5)]
        for column, kind in enumerate(kinds):
            places = list(_positions(fault, kind))
            chosen = places if SOAK else places[(row + column) % len(places) :][:1] if places else []
            found += [Case(fault, kind, position) for position in chosen]
    return found


def passing(cases: list[Case]) -> list[Case]:
    """Of faults that another try may find gone: one case each, and all in a soak."""
    found = [case for case in cases if case.fault.next == RETRY and case.fault.after is None]
    return found if SOAK else list({case.fault.name: case for case in found}.values())


def _positions(fault: Fault, kind: Kind) -> Iterator[str]:
    for position in POSITIONS if kind.pages else ["first"]:
        if (position != "after" or kind.asks_beyond) and (position != "first" or not fault.later):
            yield position
