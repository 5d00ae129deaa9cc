"""The help page, made from the registry: every key, what it does, and why it can't where it can't."""

from __future__ import annotations

from syncsource_tui.core.actions import ACTIONS, EVERYWHERE, FLEET, LOGS, SOURCE, Action, Situation, applies, command, key_name, why_not
from syncsource_tui.core.columns import Cell
from syncsource_tui.core.state import State
from syncsource_tui.core.text import fit, width_of, wrap

_PLACES = (FLEET, SOURCE, LOGS, EVERYWHERE)
_MOVING = (("j k, arrows", "a row down or up"), ("g G", "to the first or last row"), ("pgup pgdn", "a screenful"))
_COLUMNS = (
    ("LAST", "time since the last success"),
    ("NEXT", "the next run, or the retry where that is earlier; late: it is due and does not start"),
    ("ROWS", "rows that the last run inserted or updated"),
    ("QUAR", "records in quarantine"),
)
_QUERY = (
    ("text", "anywhere in the row; all terms must match"),
    ("status:fail", "a regular expression in ns, name, status, message, schedule, source or table"),
    ("!ns:^team-2", "must not match"),
    ("label:app=shop", "a label, with or without a value"),
)


def lines(situation: Situation, width: int) -> list[list[Cell]]:
    """The page, in lines of at most ``width`` cells; what can't be done now is dim and says why."""
    return [line for told in _page(situation) for line in _wrapped(told, width)]


def _wrapped(told: list[Cell], width: int) -> list[list[Cell]]:
    """The last cell goes on below itself where there is no room."""
    if not told:
        return [[]]
    *head, last = told
    indent = sum(width_of(cell.text) for cell in head)
    first, *more = wrap(last.text, width - indent)
    return [[*head, Cell(first, last.tone)], *([Cell(" " * indent), Cell(line, last.tone)] for line in more)]


def _page(situation: Situation) -> list[list[Cell]]:
    page: list[list[Cell]] = []
    page += [[Cell("Changes", "key")], *(_action(one, situation) for one in ACTIONS if one.changes), []]
    for place in _PLACES:
        page += [[Cell(place, "key")], *(_action(one, situation) for one in ACTIONS if one.place == place and not one.changes), []]
    page += _section("Moving", _MOVING) + _section("Filter", _QUERY) + _section("Columns", _COLUMNS) + [[Cell("Status", "key")]]
    return page + [[Cell("  " + fit(state.shown, 14), state.value.tone), Cell(_STATES[state])] for state in State]


def _action(action: Action, situation: Situation) -> list[Cell]:
    why = why_not(action, situation) if applies(action, situation.places) else ""
    cells = [
        Cell("  " + fit(key_name(action), 8), "dim" if why else "strong"),
        Cell(fit(f":{command(action)} {action.argument}", 20), "dim"),
    ]
    return [*cells, Cell(f"{action.help} ({why})" if why else action.help, "dim" if why else "")]


def _section(title: str, facts: tuple[tuple[str, str], ...]) -> list[list[Cell]]:
    return [[Cell(title, "key")], *([Cell("  " + fit(label, 16), "strong"), Cell(text)] for label, text in facts), []]


_STATES = {
    State.STALLED: "somebody must act: spec, Secret, or retries used up",
    State.FAILED: "the last run failed; it is tried again",
    State.QUARANTINED: "the last run succeeded; records are in quarantine",
    State.RUNNING: "a run is under way",
    State.WAITING: "due, waits until another run ends",
    State.UNSEEN: "no operator has looked at it yet",
    State.NEW: "this spec has not run yet",
    State.SUSPENDED: "paused: nothing runs, requests are refused",
    State.DELETING: "it is being deleted",
    State.READY: "the last run succeeded",
}
