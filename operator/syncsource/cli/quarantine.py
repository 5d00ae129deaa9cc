"""``syncsource quarantine``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import click
import msgspec

from syncsource.cli.main import Unusable
from syncsource.cli.output import columns, emit, output_option
from syncsource.cli.showing import sentence
from syncsource.cli.stopping import stopped_by_signals
from syncsource.cli.there import Where, chosen, here_or_there, only_here
from syncsource.engine import quarantine as engine
from syncsource.engine.plan import RunPlan
from syncsource.engine.quarantine import Quarantined
from syncsource.errors import outside_text
from syncsource.resource.status import format_time

HEAD = ("ID", "REASON", "FIELD", "VALUE", "PLACE", "FIRST SEEN", "LAST SEEN", "MESSAGE")
_ALL = "all"
_UNSEEN = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_encode = msgspec.json.Encoder(decimal_format="number").encode


@click.command()
@here_or_there
@click.option("--show", metavar="ID", help="Everything about one record.")
@click.option("--retry", metavar="ID", multiple=True, help="Try a record again, as the spec is now; all: each of them. May be repeated.")
@click.option("--discard", metavar="ID", multiple=True, help="Forget a record; all: each of them. May be repeated.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many records to list.")
@output_option
def quarantine(
    where: Where,
    show: str | None,
    retry: tuple[str, ...],
    discard: tuple[str, ...],
    limit: int,
    output: str,
) -> None:
    """The records of NAME that could not be written: list them, show one, try again after a fix, or discard.

    An ID is the beginning of what the list shows. Values of fields that are marked sensitive are masked. A record that is tried
    again is written as it was when it was set aside: discard it where the source has sent a newer one since.

    With -f that is done here and now, without Kubernetes; otherwise the operator tries again or discards, asked by a SyncRun.

    Exits with 0 where it worked and no record that was tried is left in quarantine, 1 where not, 2 where the manifest can't be used.
    """
    if sum(map(bool, (show, retry, discard))) > 1:
        raise Unusable("choose one of --show, --retry and --discard")
    only_here(where, "show", "limit")
    if not where.is_here:
        _ask(where, retry, discard, output)
    elif retry:
        _retry(where.plan(), retry, output)
    elif discard:
        _discard(where.plan(), discard, output)
    else:
        _look(where.plan(), show, limit, output)


def _ask(where: Where, retry: Sequence[str], discard: Sequence[str], output: str) -> None:
    """The same by the operator."""
    if not (retry or discard):
        raise Unusable("what is in quarantine is shown with -f only: choose --retry or --discard, or give the manifest with -f")
    done = where.ask("RetryQuarantined" if retry else "DiscardQuarantined", **chosen(retry or discard))
    done.emit(output)
    counts = done.status.result.counts if done.status.result else None
    raise SystemExit(0 if done.good and not (counts and counts.quarantined) else 1)


def _retry(plan: RunPlan, ids: Sequence[str], output: str) -> None:
    outcome = engine.retry(plan, _chosen(ids), stopped_by_signals())
    emit(msgspec.to_builtins(outcome), output, lambda: sentence(outcome))
    raise SystemExit(0 if outcome.result == "Succeeded" and not outcome.counts.quarantined else 1)


def _discard(plan: RunPlan, ids: Sequence[str], output: str) -> None:
    gone = engine.discard(plan, _chosen(ids))
    emit({"discarded": gone}, output, lambda: f"Discarded {gone:,} record{'s' * (gone != 1)}")


def _look(plan: RunPlan, show: str | None, limit: int, output: str) -> None:
    found, total = engine.look(plan, [show] if show else None, limit=limit)
    told: Any = found[0] if show else {"total": total, "records": found}
    if output == "json":
        click.echo(_json(told))
    elif output == "yaml":
        emit(msgspec.to_builtins(told), output, str)
    else:
        emit(told, output, lambda: _json(found[0]) if show else _table(found, total))


def _table(found: Sequence[Quarantined], total: int) -> str:
    more = f"\n{total - len(found):,} more: --limit lists them" if total > len(found) else ""
    return columns(HEAD, list(map(_row, found))) + more if found else "No records in quarantine"


def _json(told: Any) -> str:
    """Numbers digit for digit; what a terminal would take for more than text is escaped."""
    text = msgspec.json.format(_encode(told)).decode()
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _chosen(ids: Sequence[str]) -> Sequence[str] | None:
    """None: all of them."""
    return None if _ALL in ids else ids


def _row(one: Quarantined) -> tuple[str, ...]:
    where = f"{one.place or 'record'}:{one.position}" if one.position else one.place or ""
    partition = f"{one.partition}/" if one.partition else ""
    seen = format_time(one.first_seen), format_time(one.last_seen)
    return (
        one.id,
        one.reason,
        one.field or "",
        outside_text(one.excerpt or "", 40),
        f"{partition}{where}",
        *seen,
        outside_text(one.message, 100),
    )
