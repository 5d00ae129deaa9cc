"""Files through the whole engine: spreadsheet exports arrive exactly, each file once, and bad lines are kept aside with their place."""

from __future__ import annotations

import codecs
import os
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from syncsource.engine.executing import execute
from syncsource.engine.plan import Outcome, Progress, RunPlan
from syncsource.engine.stopping import Stop
from syncsource.sources.files import Files, Handed
from syncsource.sources.hosts import local_hosts
from tests.database.conftest import Place

FIELDS = [
    {"name": "no", "path": '"Order No"', "type": "integer"},
    {"name": "guest", "path": "Guest", "type": "text", "required": True, "normalize": ["trim"]},
    {"name": "total", "path": "Total", "type": "decimal(12,2)", "decimalSeparator": ",", "thousandsSeparator": "."},
    {"name": "arrived", "path": '"Anreise am"', "type": "date", "formats": ["%d/%m/%Y", "%d.%m.%y"]},
    {"name": "note", "path": "Notiz", "type": "text"},
]
EXPORT = (
    "Order No;Guest ;Total;Anreise am;Notiz\r\n"
    '1;Müller;1.234,50;31/12/2025;"Zwei\r\nZeilen; und ""Zitat"""\r\n'
    "2; José ;-7,00;01.02.26;\r\n"
    "12345678901234567;Zoë;0,05;28/02/2026;5 €\r\n"
)
GUESTS = ["Müller", "José", "Zoë"]


@pytest.fixture
def files(place: Place, tmp_path: Path) -> Exports:
    return Exports(place, tmp_path)


class Exports:
    """A folder of files, and a SyncSource that reads it into a table."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place, self.folder = place, folder / "files"
        self.folder.mkdir()
        self.changing: Any = lambda progress: None

    def put(self, name: str, content: str | bytes) -> None:
        (self.folder / name).write_bytes(content.encode() if isinstance(content, str) else content)

    def run(self, *handed: str, full: bool = False, **csv: Any) -> Outcome:
        path = {} if handed else {"path": "*.csv"}
        spec = {
            "source": {"csv": {**path, **csv}},
            "fields": FIELDS,
            "keys": [{"fields": ["no"]}],
            "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "orders", "createTable": True}},
        }
        allowed = Files(folder=str(self.folder), handed=tuple(Handed(str(self.folder / name), name) for name in handed))
        plan = RunPlan(
            run=uuid4().hex,
            identity="test/ns/files",
            trigger="Request",
            full=full,
            spec=spec,
            secrets={"db": {"url": self.place.url}},
            files=allowed,
        )
        stop = Stop()
        return execute(plan, hosts=local_hosts(stop.event), stop=stop, progress=self._progress)

    def counts(self, *handed: str, **options: Any) -> tuple[int, int, int, int, int]:
        """read, inserted, updated, unchanged, quarantined."""
        outcome = self.run(*handed, **options)
        assert outcome.result == "Succeeded", outcome.message
        counts = outcome.counts
        return counts.read, counts.inserted, counts.updated, counts.unchanged, counts.quarantined

    def guests(self) -> list[str]:
        return [guest for (guest,) in self.place.sql("SELECT guest FROM orders ORDER BY no")]

    def _progress(self, progress: Progress) -> None:
        self.changing(progress)


@pytest.mark.parametrize(
    "export",
    [EXPORT.encode("utf-8-sig"), EXPORT.encode("cp1252"), codecs.BOM_UTF16_LE + EXPORT.encode("utf-16-le")],
    ids=["utf-8 with a mark", "cp1252", "utf-16"],
)
def test_a_spreadsheet_export_arrives_exactly(files: Exports, export: bytes) -> None:
    files.put("orders.csv", export)
    assert files.counts() == (3, 3, 0, 0, 0)
    rows = files.place.sql("SELECT no, guest, total, arrived, note FROM orders ORDER BY no")
    assert [(no, guest, Decimal(total), day(arrived), note) for no, guest, total, arrived, note in rows] == [
        (1, "Müller", Decimal("1234.50"), date(2025, 12, 31), 'Zwei\r\nZeilen; und "Zitat"'),
        (2, "José", Decimal("-7.00"), date(2026, 2, 1), None),
        (12345678901234567, "Zoë", Decimal("0.05"), date(2026, 2, 28), "5 €"),
    ]
    assert files.counts(full=True) == (3, 0, 0, 3, 0)


def day(value: Any) -> date:
    return value if isinstance(value, date) and not isinstance(value, datetime) else date.fromisoformat(str(value))


def test_a_file_is_taken_once_unless_everything_is_asked_for(files: Exports) -> None:
    files.put("a.csv", EXPORT)
    assert files.counts() == (3, 3, 0, 0, 0)
    again = files.run()
    assert (again.result, again.message, again.counts.read) == ("Succeeded", "the source is unchanged", 0)
    assert files.counts(full=True) == (3, 0, 0, 3, 0)
    files.put("b.csv", EXPORT.replace("\r\n2;", "\r\n3;"))
    assert files.counts() == (3, 1, 0, 2, 0)


def test_bad_lines_are_kept_aside_and_the_file_is_still_taken_once(files: Exports) -> None:
    files.put("a.csv", EXPORT + "4;Short\r\n5;Ann;1,5;31/02/2026;\r\n6;;1,5;;\r\n7;Bob;2,00;;\r\n")
    assert files.counts() == (7, 4, 0, 0, 3)
    assert files.run().message == "the source is unchanged"
    found = files.place.sql("SELECT reason FROM syncsource_quarantine ORDER BY reason")
    assert [reason for (reason,) in found] == ["InvalidValue", "MissingValue", "RaggedLine"]


def test_an_emptied_table_is_filled_again(files: Exports) -> None:
    files.put("a.csv", EXPORT)
    files.run()
    files.place.sql("DELETE FROM orders")
    assert files.counts() == (3, 3, 0, 0, 0)


def test_files_handed_over_update_rows_and_are_remembered(files: Exports) -> None:
    files.put("monday.csv", EXPORT)
    files.put("tuesday.csv", EXPORT.replace("Zoë", "Zoe"))
    assert files.counts("monday.csv") == (3, 3, 0, 0, 0)
    assert files.counts("tuesday.csv") == (3, 0, 1, 2, 0)
    assert files.run("monday.csv").message == "the source is unchanged"
    assert files.guests() == ["Müller", "José", "Zoe"]


def test_a_file_handed_over_leaves_what_others_left_in_quarantine(files: Exports) -> None:
    """It is not all that there is, though nothing is remembered under a spec that has changed."""
    files.put("monday.csv", EXPORT + "5;Ann;1,5;31/02/2026;\r\n")
    files.put("tuesday.csv", EXPORT)
    assert files.counts("monday.csv") == (4, 3, 0, 0, 1)
    outcome = files.run("tuesday.csv", encoding="utf-8")
    assert (outcome.full, outcome.quarantined_total) == (False, 1)


def test_one_file_that_can_not_be_read_keeps_all_from_being_written(files: Exports) -> None:
    files.put("a.csv", EXPORT)
    files.put("b.csv", "Order No;Total\r\n1;2,00\r\n")
    outcome = files.run()
    assert (outcome.result, outcome.reason) == ("Failed", "SchemaMismatch")
    assert "b.csv has no column 'Guest'" in outcome.message
    assert files.guests() == []
    (files.folder / "b.csv").unlink()
    assert files.counts() == (3, 3, 0, 0, 0)


def test_a_file_that_changes_while_it_is_read_commits_nothing_and_is_retried(files: Exports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncsource.sources.csvfiles.records.PAGE_ROWS", 100)
    files.put("a.csv", EXPORT + "".join(f"{number};Ann;1,00;;\r\n" for number in range(2000)))
    files.changing = lambda progress: os.utime(files.folder / "a.csv", ns=(1, 1))
    outcome = files.run()
    assert (outcome.result, outcome.reason, outcome.next) == ("Failed", "FileChanged", "Retry")
    assert files.guests() == []
