"""A folder of files, and what a source reads of it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from syncsource.errors import SyncError
from syncsource.records.batch import Broken
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources import Page, Slice
from syncsource.sources.base import PAUSE
from syncsource.sources.csvfiles.source import FileSource
from syncsource.sources.files import Files, Handed


class Folder:
    """What is put into it is read as a SyncSource would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = Files(folder=str(path))

    def put(self, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
        return file

    def hand(self, *names: str) -> None:
        self.files = Files(handed=tuple(Handed(str(self.path / name), name) for name in names))

    def source(self, *fields: str, cancelled: threading.Event | None = None, **options: Any) -> FileSource:
        """``fields``: the columns that must be there; by default the first cells' only."""
        paths = [{"name": f"f{number}", "path": name, "type": "text"} for number, name in enumerate(fields)]
        constant = {"name": "id", "value": "1", "type": "text"}
        spec = SyncSourceSpec.model_validate(
            {
                "source": {"csv": {"path": "*.csv", **options} if not self.files.handed else options},
                "fields": [constant, *paths],
                "keys": [{"fields": ["id"]}],
                "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "t"}},
            }
        )
        return FileSource(spec, self.files, cancelled or threading.Event())

    def pages(self, *fields: str, state: str | None = None, **options: Any) -> list[Page]:
        return [page for page in self.source(*fields, **options).pages(Slice(state=state)) if page is not PAUSE]

    def records(self, *fields: str, **options: Any) -> list[Any]:
        return [record for page in self.pages(*fields, **options) for record in page.records]

    def lines(self, **options: Any) -> list[tuple[int, str]]:
        """Where each record stands, and its reason where it is broken."""
        return [
            (position, record.reason if isinstance(record, Broken) else "")
            for page in self.pages(**options)
            for position, record in zip(page.positions or (), page.records, strict=True)
        ]

    def failure(self, *fields: str, **options: Any) -> tuple[str, str, str]:
        """How a read fails: class, reason, message."""
        with pytest.raises(SyncError) as caught:
            self.pages(*fields, **options)
        return type(caught.value).__name__, caught.value.reason, caught.value.message


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "files").mkdir()
    return Folder(tmp_path / "files")
