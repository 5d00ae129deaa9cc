"""``syncsource test``."""

from __future__ import annotations

from typing import Any, NoReturn

import click
from rich.console import Console
from rich.markup import escape

from syncsource.cli.output import emit, output_option
from syncsource.cli.stopping import stopped_by_signals
from syncsource.cli.there import Where, here_or_there
from syncsource.engine.checking import Finding
from syncsource.errors import without_control
from syncsource.runner.here import check_here

_MARKS = {"Ok": "[green]ok[/]", "Warning": "[yellow]warning[/]", "Failed": "[red]failed[/]"}


@click.command("test")
@here_or_there
@output_option
def test(where: Where, output: str) -> None:
    """Test source and destination of NAME step by step; nothing is written.

    Looks at Secrets, addresses, connection, TLS, the first page, fields, cursor, table, key and ledger, and says what it found.

    With -f that is done here and now, without Kubernetes; otherwise the operator does it, asked by a SyncRun.

    Exits with 0 where nothing failed (warnings are no failure), 1 where a step failed, 2 where the manifest can't be used.
    """
    if not where.is_here:
        _ask(where, output)
    plan = where.plan(incomplete=True)
    findings: list[Finding] = []
    console = Console(highlight=False, soft_wrap=True)

    def found(finding: Finding) -> None:
        findings.append(finding)
        if output == "table":
            console.print(_line(finding))

    good = check_here(plan, stopped_by_signals(), found)
    if output != "table":
        emit(_told(plan.identity.removeprefix("local/"), findings, good), output, str)
    raise SystemExit(0 if good else 1)


def _ask(where: Where, output: str) -> NoReturn:
    """The same by the operator, which tells no values of records."""
    done = where.ask("TestConnection")
    steps = (done.status.result.steps if done.status.result else None) or []
    if output == "table" and steps:
        console = Console(highlight=False, soft_wrap=True)
        for one in steps:
            console.print(_line(Finding(step=one.step, result=one.result, reason=one.reason, message=one.message)))
    else:
        done.emit(output)
    raise SystemExit(0 if done.good else 1)


def _told(name: str, findings: list[Finding], good: bool) -> dict[str, Any]:
    return {"name": name, "result": "Ok" if good else "Failed", "steps": [_step(one) for one in findings]}


def _step(finding: Finding) -> dict[str, Any]:
    return {"step": finding.step, "result": finding.result, "reason": finding.reason, "message": _message(finding)}


def _message(finding: Finding) -> str:
    return "; ".join(filter(None, (finding.message, finding.example)))


def _line(finding: Finding) -> str:
    mark = _MARKS[finding.result] + " " * (9 - len(finding.result))
    reason = f"{finding.reason}: " if finding.reason else ""
    return f"{mark}{finding.step:<13}{escape(without_control(reason + _message(finding)))}"
