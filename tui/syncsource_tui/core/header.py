"""The lines above and below a screen's middle, as cells."""

from __future__ import annotations

from collections.abc import Sequence

from syncsource_tui.core.actions import ACTIONS, Action, Situation, applies, key_name, label_of, why_not
from syncsource_tui.core.columns import Cell
from syncsource_tui.core.connection import Connection, Phase
from syncsource_tui.core.fleet import Fleet
from syncsource_tui.core.requests import Request, Step, trail
from syncsource_tui.core.state import State, Tone
from syncsource_tui.core.text import clean, width_of, wrap
from syncsource_tui.core.times import is_late

_SPACE = Cell("  ")
_MOST_REQUESTS = 4
"""More requests than this are counted, not listed."""
_MOST_LINES = 2
_LEAST_TRAIL = 20
_TONES: dict[Phase, Tone] = {Phase.LIVE: "good", Phase.CONNECTING: "busy", Phase.LOADING: "busy"}


def places(context: str, scope: Sequence[str | None], *trail: str, ascii_only: bool) -> list[Cell]:
    """``prod ⟩ all namespaces``, and what was opened below."""
    where = "all namespaces" if None in scope else ", ".join(clean(name) for name in scope)
    cells = [Cell(context or "…", "strong")]
    for step in trail or (where,):
        cells += [Cell(" > " if ascii_only else " ⟩ ", "dim"), Cell(step, "strong" if trail else "")]
    return cells


def connection(state: Connection, now: float) -> Cell:
    """The word of the connection."""
    return Cell(state.label(now), _TONES.get(state.phase, "warn"))


def counts(fleet: Fleet, *, ascii_only: bool) -> list[Cell]:
    """How many there are, and how many of them in each state that has any."""
    found = fleet.store.counts()
    cells = [Cell(f"{sum(found.values()):,}", "strong")]
    for state in (State.READY, State.RUNNING, State.WAITING, State.QUARANTINED, State.SUSPENDED, State.NEW, State.UNSEEN):
        if found[state]:
            cells += [_SPACE, Cell(f"{state.glyph(ascii_only=ascii_only)} {found[state]:,}", state.value.tone)]
    failed = found[State.FAILED] + found[State.STALLED]
    return cells + ([_SPACE, Cell(f"{State.FAILED.glyph(ascii_only=ascii_only)} {failed:,}", "bad")] if failed else [])


def view(fleet: Fleet) -> tuple[list[Cell], list[Cell]]:
    """What of the fleet is shown, in which order; at the right how many."""
    total, shown, marked = len(fleet.store.rows), len(fleet.keys), len(fleet.marks)
    left = [Cell("/ ", "dim"), Cell(fleet.query.text or "no filter", "key" if fleet.query.text else "dim")]
    left += [Cell("   problems only", "warn")] if fleet.problems else []
    left += [Cell("   sort: ", "dim"), Cell(fleet.sort.name, "dim" if fleet.sort.name == "name" else "key")]
    right = [Cell(f"{shown:,} shown" if shown == total else f"{shown:,} of {total:,} shown", "dim")]
    right += [Cell(f" · {marked:,} marked", "key")] if marked else []
    return left, right


def late(fleet: Fleet, now: float) -> int:
    """How many are due and do not run: with many, no operator does."""
    rows = fleet.store.rows.values()
    return sum(is_late(row.next, now) for row in rows if not row.suspended and row.state not in (State.RUNNING, State.WAITING))


def footer(situation: Situation, width: int) -> list[tuple[Action, Cell, Cell]]:
    """The actions that the width has room for, each with its key and its name; what can't be done now is dim."""
    offered = [action for action in ACTIONS if action.rank and applies(action, situation.places)]
    drawn = {action.id: _footed(action, situation) for action in offered}
    kept: set[str] = set()
    for action in sorted(offered, key=lambda one: one.rank):
        size = sum(width_of(cell.text) for cell in drawn[action.id]) + 2
        if size <= width + 2:
            kept.add(action.id)
            width -= size
    return [(action, *drawn[action.id]) for action in offered if action.id in kept]


def _footed(action: Action, situation: Situation) -> tuple[Cell, Cell]:
    possible = not why_not(action, situation)
    return Cell(key_name(action), "key" if possible else "dim"), Cell(f" {label_of(action, situation)}", "" if possible else "dim")


def requests(asked: Sequence[Request], now: float, width: int, *, ascii_only: bool) -> list[list[Cell]]:
    """A line for each request; for many one line that counts them."""
    if len(asked) > _MOST_REQUESTS:
        return [_summary(asked, ascii_only)]
    return [line for request in asked for line in _lines(request, now, width, ascii_only)]


def _lines(request: Request, now: float, width: int, ascii_only: bool) -> list[list[Cell]]:
    glyph, tone = _mark(request.step, ascii_only)
    head = f"{glyph} {request.plan.change.value} {request.target.name}  "
    told: Tone = tone if request.step.is_end else ""
    first, *more = wrap(trail(request, now, ascii_only=ascii_only), max(width - width_of(head), _LEAST_TRAIL))[:_MOST_LINES]
    return [[Cell(head, tone), Cell(first, told)], *([Cell(" " * width_of(head)), Cell(line, told)] for line in more)]


def _summary(asked: Sequence[Request], ascii_only: bool) -> list[Cell]:
    steps = [request.step for request in asked]
    cells = [Cell(f"{asked[0].plan.change.value} {len(asked):,}:", "strong")]
    for step in Step:
        if number := steps.count(step):
            glyph, tone = _mark(step, ascii_only)
            cells += [Cell("  "), Cell(f"{glyph} {number:,} {step.value.lower()}", tone)]
    failed = next((request for request in asked if request.step is Step.FAILED), None)
    return cells + ([Cell(f"  {failed.target.name}: {failed.outcome}", "bad")] if failed else [])


def _mark(step: Step, ascii_only: bool) -> tuple[str, Tone]:
    if step is Step.DONE:
        return ("+" if ascii_only else "✓"), "good"
    if step is Step.FAILED:
        return ("x" if ascii_only else "✗"), "bad"
    return (">" if ascii_only else "▸"), "busy"
