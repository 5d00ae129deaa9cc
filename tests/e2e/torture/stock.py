"""What an upstream holds while it changes: every version of every record, and its answers, page by page."""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.upstream import Asked, Reply

PAGE = 24

Row = tuple[int, int, str, datetime]
"""What a table should hold of a record: id, version, total, modified."""


class Pages:
    """Counts the pages that upstreams served, so that a test can wait for one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.served = 0

    def count(self) -> None:
        """One more."""
        with self._changed:
            self.served += 1
            self._changed.notify_all()

    def wait(self, number: int, seconds: float) -> bool:
        """Whether so many were served by then."""
        with self._changed:
            return self._changed.wait_for(lambda: self.served >= number, seconds)


@dataclass(frozen=True, slots=True)
class Record:
    """One version of a record."""

    id: int
    version: int
    modified: datetime

    @property
    def total(self) -> str:
        """Another amount in each version."""
        return f"{self.id * 100 + self.version}.25"

    @property
    def row(self) -> Row:
        """As the table has it."""
        return self.id, self.version, self.total, self.modified

    @property
    def json(self) -> dict[str, Any]:
        """As the API sends it."""
        return {"id": self.id, "version": self.version, "total": self.total, "modified": text(self.modified)}


@dataclass
class Stock:
    """Records behind numbered pages in the order of their ids, filtered by ``since``. A changed record is stamped with the time, as a
    well-kept API does: before it can be read."""

    pages: Pages
    versions: dict[int, list[Record]] = field(default_factory=dict)
    spoil: Callable[[bytes], Reply] | None = None
    """What becomes of the body of a page after the first."""
    held: threading.Event = field(default_factory=threading.Event)
    """Set when a page is being held back."""
    _open: threading.Event | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hold(self) -> None:
        """From now on, pages after the first wait."""
        self.held.clear()
        self._open = threading.Event()

    def release(self) -> None:
        """Send what is held back."""
        if self._open is not None:
            self._open.set()
            self._open = None

    def add(self, count: int) -> None:
        """New records."""
        with self._lock:
            for number in range(len(self.versions) + 1, len(self.versions) + count + 1):
                self.versions[number] = [Record(number, 1, datetime.now(UTC))]

    def change(self, rng: random.Random, count: int) -> None:
        """A new version of that many records."""
        with self._lock:
            for number in rng.sample(sorted(self.versions), min(count, len(self.versions))):
                self.versions[number].append(Record(number, len(self.versions[number]) + 1, datetime.now(UTC)))

    @property
    def records(self) -> list[Record]:
        """As they are now, by id."""
        with self._lock:
            return [versions[-1] for _, versions in sorted(self.versions.items())]

    @property
    def rows(self) -> set[Row]:
        """What the table should hold."""
        return {record.row for record in self.records}

    @property
    def cursor(self) -> str:
        """What the cursor is once everything was read."""
        return text(max(record.modified for record in self.records))

    def as_of(self, cursor: str) -> dict[int, int]:
        """The version of each record that a table with this cursor has at least."""
        moment = datetime.fromisoformat(cursor)
        with self._lock:
            known = {number: [one.version for one in versions if one.modified <= moment] for number, versions in self.versions.items()}
        return {number: versions[-1] for number, versions in known.items() if versions}

    def __call__(self, asked: Asked) -> Reply:
        page, since = int(asked.query.get("page", 1)), asked.query.get("since")
        gate = self._open
        if page > 1 and gate is not None:
            self.held.set()
            gate.wait(60)
        records = self.records
        if since:
            records = [record for record in records if record.modified >= datetime.fromisoformat(since)]
        body = [record.json for record in records[(page - 1) * PAGE : page * PAGE]]
        self.pages.count()
        if page > 1 and self.spoil is not None:
            return self.spoil(json.dumps(body).encode())
        return Reply(body, headers={"X-WP-TotalPages": str(math.ceil(len(records) / PAGE)), "Date": _clock()})


def text(moment: datetime) -> str:
    """An instant as the API writes it."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _clock() -> str:
    """The second that has not ended: with the one that began, the cursor would stay behind what was sent."""
    return format_datetime(datetime.fromtimestamp(math.ceil(time.time()), UTC) + timedelta(seconds=1), usegmt=True)
