"""The lines above and below a screen's middle, as cells."""

from __future__ import annotations

from collections.abc import Sequence

from syncsource_tui.core.actions import ACTIONS, FLEET, Action, Situation, applies, key_name, label_of, why_not
from syncsource_tui.core.columns import Cell
from syncsource_tui.core.connection import Connection, Phase
from syncsource_tui.core.fleet import Fleet
from syncsource_tui.core.requests import Request, Step, trail
from syncsource_tui.core.state import State, Tone
from syncsource_tui.core.text import clean, width_of, wrap
from syncsource_tui.core.times import is_late

LONGEST_LABEL = 20
"""Cells kept for the connection's word."""
_FIRST = {State.RUNNING: -1, State.READY: 4}
"""After the problems, what is going on; then what is well."""
_MOST_REQUESTS = 4
"""More requests than this are counted, not listed."""
_MOST_LINES = 2
_LEAST_TRAIL = 20
_TONES: dict[Phase, Tone] = {Phase.LIVE: "good", Phase.CONNECTING: "busy", Phase.LOADING: "busy"}


def places(context: str, scope: Sequence[str | None], *trail: str) -> list[Cell]:
    """``prod ⟩ all namespaces``, and what was opened below."""
    where = "all namespaces" if None in scope else ", ".join(clean(name) for name in scope)
    cells = [Cell(context or "…", "strong")]
    for step in trail or (where,):
        cells += [Cell(" ⟩ ", "dim"), Cell(step, "strong" if trail else "")]
    return cells


def connection(state: Connection, now: float) -> Cell:
    """The word of the connection."""
    return Cell(state.label(now), _TONES.get(state.phase, "warn"))


def counts(fleet: Fleet, room: int) -> list[Cell]:
    """How many there are, and how many of them in each state that has any: as many states as there is room for, problems first."""
    found = fleet.store.counts()
    found[State.FAILED] += found.pop(State.STALLED, 0)
    total = Cell(f"{sum(found.values()):,}", "strong")
    shown: dict[State, Cell] = {}
    for state in sorted((state for state in found if found[state]), key=lambda state: _FIRST.get(state, state.value.rank)):
        shown[state] = Cell(f"  {state.glyph} {found[state]:,}", state.value.tone)
        if width_of(total.text) + sum(width_of(cell.text) for cell in shown.values()) > room:
            del shown[state]
            break
    return [total, *(shown[state] for state in sorted(shown, key=lambda state: -state.value.rank))]


def view(fleet: Fleet, late: tuple[int, int]) -> tuple[list[Cell], list[Cell]]:
    """What of the fleet is shown, in which order, and how many are late; at the right how many there are. ``late``: of :func:`late`."""
    total, shown, marked = len(fleet.store.rows), len(fleet.keys), len(fleet.marks)
    left = [Cell("/ ", "dim"), Cell(fleet.query.text or "no filter", "key" if fleet.query.text else "dim")]
    left += [Cell("   problems only", "warn")] if fleet.problems else []
    left += [Cell("   sort: ", "dim"), Cell(fleet.sort.name, "dim" if fleet.sort.name == "name" else "key")]
    right = [Cell(f"{shown:,} shown" if shown == total else f"{shown:,} of {total:,} shown", "dim")]
    right += [Cell(f" · {marked:,} marked", "key")] if marked else []
    return left + _late(*late), right


def late(fleet: Fleet, now: float) -> tuple[int, int]:
    """How many are due and do not start, and of how many that have a time to start at. It looks at every row: once a second will do."""
    waiting = [
        row.next for row in fleet.store.rows.values() if row.next is not None and not row.suspended and row.state is not State.RUNNING
    ]
    return sum(is_late(moment, now) for moment in waiting), len(waiting)


def _late(number: int, waiting: int) -> list[Cell]:
    """Where all are late, nobody starts them."""
    if not number:
        return []
    return [Cell(f"   {number:,} late" + (": is an operator running?" if number == waiting else ""), "warn")]


def footer(situation: Situation, width: int) -> list[tuple[Action, Cell, Cell]]:
    """The actions that the width has room for, each with its key and its name; what can't be done now is dim."""
    offered = [
        action
        for action in ACTIONS
        if action.rank and applies(action, situation.places) and not (action.id == "back" and FLEET in situation.places)
    ]
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


def requests(asked: Sequence[Request], now: float, width: int) -> list[list[Cell]]:
    """A line for each request; for many one line that counts them."""
    if len(asked) > _MOST_REQUESTS:
        return [_summary(asked)]
    return [line for request in asked for line in _lines(request, now, width)]


def _lines(request: Request, now: float, width: int) -> list[list[Cell]]:
    glyph, tone = _mark(request.step)
    head = f"{glyph} {request.plan.change.value} {request.target.name}  "
    told: Tone = tone if request.step.is_end else ""
    first, *more = wrap(trail(request, now), max(width - width_of(head), _LEAST_TRAIL))[:_MOST_LINES]
    return [[Cell(head, tone), Cell(first, told)], *([Cell(" " * width_of(head)), Cell(line, told)] for line in more)]


def _summary(asked: Sequence[Request]) -> list[Cell]:
    steps = [request.step for request in asked]
    cells = [Cell(f"{asked[0].plan.change.value} {len(asked):,}:", "strong")]
    for step in Step:
        if number := steps.count(step):
            glyph, tone = _mark(step)
            cells += [Cell("  "), Cell(f"{glyph} {number:,} {step.value.lower()}", tone)]
    failed = next((request for request in asked if request.step is Step.FAILED), None)
    return cells + ([Cell(f"  {failed.target.name}: {failed.outcome}", "bad")] if failed else [])


def _mark(step: Step) -> tuple[str, Tone]:
    if step is Step.DONE:
        return "✓", "good"
    if step is Step.FAILED:
        return "✗", "bad"
    return "▸", "busy"
