"""A verification as a worker carries it out: from files to an outcome that holds counts and names of columns, and no record's content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from syncsource.engine.executing import execute
from syncsource.engine.measuring import MOST_COLUMNS, measure
from syncsource.engine.plan import Next, Outcome, RunPlan
from syncsource.engine.stopping import Stop
from syncsource.errors import AbortedError
from syncsource.sources.files import Files
from syncsource.sources.hosts import local_hosts
from tests.database.conftest import Place
from tests.database.engine import Engine

WIDTH = MOST_COLUMNS + 5
NAMES = [f"c{number:02}" for number in range(WIDTH)]


def _plan(place: Place, folder: Path, **safety: Any) -> RunPlan:
    """Of 300 rows in a file of the folder, with many columns."""
    engine = Engine(
        place,
        "t",
        source={"csv": {"path": "rows.csv"}},
        fields=[{"name": "id", "type": "integer"}, *({"name": name, "type": "text"} for name in NAMES)],
        safety=safety,
    )
    del engine.spec["incremental"]
    engine.spec["destination"]["sql"]["createTable"] = True
    (folder / "rows.csv").write_text("\n".join([",".join(["id", *NAMES]), *(f"{number}" + ",a" * WIDTH for number in range(300))]))
    return msgspec.structs.replace(engine.plan(), files=Files(folder=str(folder)))


def _measured(plan: RunPlan, stop: Stop | None = None) -> Outcome:
    stop = stop or Stop()
    return measure(plan, hosts=local_hosts(stop.event), stop=stop)


def test_what_is_found_is_told_without_what_stands_in_it(place: Place, tmp_path: Path) -> None:
    plan = _plan(place, tmp_path)
    early = _measured(plan)
    assert (early.result, early.next, early.reason) == ("Failed", Next.SCHEDULE, "NotFound")
    stop = Stop()
    done = execute(plan, hosts=local_hosts(stop.event), stop=stop, progress=lambda progress: None)
    assert done.counts.inserted == 300, done.message
    for number, name in enumerate(NAMES):
        place.sql(f"UPDATE t SET {name} = 'mine' WHERE id <= {number}")
    outcome = _measured(plan)
    found = outcome.verified
    assert found is not None
    differing = sum(range(1, WIDTH + 1))
    assert (found.rows, found.different, found.cells, found.complete, found.extra) == (300, WIDTH, 300 * (WIDTH + 1), True, 0)
    assert found.accuracy == f"{100 * (found.cells - differing) / found.cells:.6f}"[:7]
    assert found.columns == {name: number + 1 for number, name in enumerate(NAMES) if number >= WIDTH - MOST_COLUMNS}
    assert b"mine" not in msgspec.json.encode(outcome)

    (tmp_path / "rows.csv").unlink()
    gone = _measured(plan)
    assert (gone.result, gone.verified) == ("Failed", None)


def test_one_that_is_stopped_or_whose_database_is_away_says_so(place: Place, tmp_path: Path) -> None:
    plan = _plan(place, tmp_path, verify={"every": "1d", "sample": 10})
    stop = Stop()
    execute(plan, hosts=local_hosts(stop.event), stop=stop, progress=lambda progress: None)
    whole = _measured(plan).verified
    assert whole is not None
    assert (whole.sample, whole.accuracy) == (10, "100.0000")
    stop(AbortedError("called off", reason="Cancelled"))
    stopped = _measured(plan, stop)
    assert (stopped.result, stopped.reason, stopped.verified) == ("Interrupted", "Cancelled", None)
    nowhere = {"sqlite": f"sqlite:///{tmp_path}/no/such/rows.db"}.get(
        place.kind, f"{place.kind.replace('mariadb', 'mysql')}://u:s3cret-word@127.0.0.1:1/x"
    )
    away = _measured(msgspec.structs.replace(plan, secrets={"db": {"url": nowhere}}))
    assert away.result == "Failed"
    assert "s3cret-word" not in away.message
