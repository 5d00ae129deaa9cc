"""Everything that a key, the command line or the palette can do: one registry, from which help and footer are made too.

Lower case looks, upper case changes; no chord with Ctrl changes anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from syncsource_tui.core.connection import Connection
from syncsource_tui.core.row import Row

FLEET, SOURCE, OVERVIEW, RUNS, LOGS, EVENTS, YAML = "Fleet", "Source", "Overview", "Runs", "Logs", "Events", "YAML"
TABS = (OVERVIEW, RUNS, LOGS, EVENTS, YAML)
EVERYWHERE = "Everywhere"


@dataclass(frozen=True, slots=True)
class Action:
    """``key`` as Textual names it. ``place``: where it applies. ``rank``: the lower, the longer it stays in a footer; 0: never there."""

    id: str
    key: str
    label: str
    help: str
    place: str
    rank: int = 0
    changes: bool = False
    needs_row: bool = False
    argument: str = ""
    """What the command takes after its name, for the command line's hint; empty: nothing."""


ACTIONS: tuple[Action, ...] = (
    Action("open", "enter", "Open", "open the source", FLEET, 1, needs_row=True),
    Action("logs", "l", "Logs", "open the source's log", FLEET, 5, needs_row=True),
    Action("runs", "r", "Runs", "open the source's runs", FLEET, 6, needs_row=True),
    Action("events", "e", "Events", "open the source's Events", FLEET, needs_row=True),
    Action("yaml", "y", "YAML", "open the source's YAML", FLEET, needs_row=True),
    Action("trigger", "T", "Trigger", "ask for a run now", EVERYWHERE, 2, changes=True, needs_row=True),
    Action("pause", "P", "Pause", "pause with a reason, or resume what is paused", EVERYWHERE, 3, changes=True, needs_row=True),
    Action("full", "F", "Full", "ask for a full refresh, which ignores the cursor", EVERYWHERE, 7, changes=True, needs_row=True),
    Action("filter", "slash", "Filter", "filter: terms that must all match", FLEET, 4, argument="[TERMS]"),
    Action("problems", "z", "Problems", "only what is stalled, failed or has records in quarantine", FLEET, 8),
    Action("sort", "o", "Sort", "another order: name, status, last, next, rows, quarantined", FLEET, 9, argument="[COLUMN]"),
    Action("mark", "space", "Mark", "mark the row, or take the mark off", FLEET, needs_row=True),
    Action("mark_all", "a", "Mark all", "mark every row shown, or none", FLEET),
    Action("tab_1", "1", OVERVIEW, "conditions, schedule, counts, what goes where", SOURCE),
    Action("tab_2", "2", RUNS, "the last ten runs", SOURCE),
    Action("tab_3", "3", LOGS, "the operator's log of this source", SOURCE),
    Action("tab_4", "4", EVENTS, "the Events of this source", SOURCE),
    Action("tab_5", "5", YAML, "the whole object, without managed fields", SOURCE),
    Action("log_filter", "slash", "Filter", "only lines that contain a text", LOGS, 4, argument="[TEXT]"),
    Action("log_follow", "f", "Follow", "follow the end of the log, or stand still", LOGS, 5),
    Action("log_all", "a", "All lines", "every line of the operator, or this source's only", LOGS, 6),
    Action("back", "escape", "Back", "back; in the fleet: clear filter and marks", EVERYWHERE, 10),
    Action("help", "question_mark", "Help", "this page", EVERYWHERE, 5),
    Action("command", "colon", "Command", "type a command: any name of this page", EVERYWHERE),
    Action("palette", "ctrl+p", "Palette", "search for what can be done", EVERYWHERE),
    Action("retry", "ctrl+r", "Reconnect", "read everything anew, now", EVERYWHERE),
    Action("theme", "", "Theme", "choose other colours", EVERYWHERE),
    Action("quit", "ctrl+q", "Quit", "leave the program", EVERYWHERE),
)
BY_ID = {action.id: action for action in ACTIONS}
_NAMES = {"slash": "/", "question_mark": "?", "colon": ":", "escape": "esc"}


def key_name(action: Action) -> str:
    """The key as people know it."""
    return _NAMES.get(action.key, action.key)


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides whether an action applies. ``may_patch``: None where nobody knows; the control plane decides then."""

    places: tuple[str, ...]
    connection: Connection
    row: Row | None = None
    read_only: bool = False
    may_patch: bool | None = None
    marked: int = 0


def applies(action: Action, places: tuple[str, ...]) -> bool:
    """Whether the action belongs to where we are."""
    return action.place == EVERYWHERE or action.place in places


def why_not(action: Action, now: Situation) -> str:
    """Why the action can't be done at the moment; empty: it can."""
    if not applies(action, now.places):
        return f"in {action.place} only"
    if action.needs_row and now.row is None and not now.marked:
        return "no row is chosen"
    return _why_no_change(now) if action.changes else ""


def _why_no_change(now: Situation) -> str:
    if now.read_only:
        return "read-only"
    if not now.connection.is_live:
        return "not connected"
    return "you may not patch syncsources.syncsource.dev here" if now.may_patch is False else ""


def label_of(action: Action, now: Situation) -> str:
    """The action's name as things stand: what P does depends on the row."""
    if action.id == "pause" and not now.marked and now.row is not None and now.row.suspended:
        return "Resume"
    return action.label


def find(name: str, places: tuple[str, ...]) -> Action | None:
    """The action of a command's name, or of the only name that begins so."""
    wanted = name.lower()
    wanted = {"q": "quit", "resume": "pause", "reconnect": "retry"}.get(wanted, wanted)
    here = {command(action): action for action in ACTIONS if applies(action, places)}
    if wanted in here or not wanted:
        return here.get(wanted)
    found = [action for known, action in here.items() if known.startswith(wanted)]
    return found[0] if len(found) == 1 else None


def command(action: Action) -> str:
    """What the action is called on the command line."""
    return action.label.lower() if action.id.startswith("tab_") else action.id.removeprefix("log_").replace("_", "-")
