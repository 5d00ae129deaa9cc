"""Files as pages, one after the other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from itertools import islice

from syncsource.errors import AbortedError, PermanentError, outside_text
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import Page, Slice
from syncsource.sources.csvfiles import header, reasons
from syncsource.sources.csvfiles.decoding import Decoding, decoding
from syncsource.sources.csvfiles.dialect import SAMPLE, Dialect, dialect
from syncsource.sources.csvfiles.finding import found
from syncsource.sources.csvfiles.holding import held
from syncsource.sources.csvfiles.lines import Rows
from syncsource.sources.csvfiles.packed import Member, members
from syncsource.sources.csvfiles.records import Records
from syncsource.sources.csvfiles.taken import Taken
from syncsource.sources.files import Files

_log = logging.getLogger(__name__)


class FileSource:
    """``spec.source.csv``. A file is read once, told by its content, unless everything is asked for."""

    def __init__(self, spec: SyncSourceSpec, files: Files, cancelled: threading.Event) -> None:
        assert spec.source.csv is not None
        self._spec, self._csv = spec, spec.source.csv
        self._files, self._cancelled = files, cancelled
        self.state: str | None = None
        self.unchanged = False
        self.billed = 0
        self.known: list[str] = []
        """Names of the files that were read before, and not now."""

    def pages(self, part: Slice) -> Iterator[Page]:
        """See :class:`syncsource.sources.Source`."""
        self.state, self.unchanged, self.known = None, False, []
        before, digests, fresh = Taken.read(part.state), list[str](), False
        for file in found(self._csv.path, self._files):
            with held(file) as open_file:
                digests.append(digest := open_file.digest())
                if (before.known(digest) and not self._files.again) or digest in digests[:-1]:
                    self.known.append(file.name)
                    _log.info("%s was read before: nothing in it changed", outside_text(file.name))
                    continue
                fresh = True
                for member in members(open_file, self._csv.members):
                    yield from self._member(member)
                open_file.check()
        self.unchanged = not fresh
        self.state = before.after(digests, handed=bool(self._files.handed))

    def close(self) -> None:
        """Nothing stays open between two reads."""

    def _member(self, member: Member) -> Iterator[Page]:
        text = decoding(member, self._csv.encoding)
        try:
            one, said = self._dialect(member, text)
            with member.open() as stream:
                skip = self._csv.skip_lines + said
                rows = Rows(text.opened(stream), one, member.name, skip=skip, comment=self._csv.comment)
                records = Records(rows, self._csv, member.name, clean=text.clean)
                header.check(records.names, header.wanted(self._spec), member.name)
                yield from self._watched(records.pages())
        except UnicodeError:
            raise PermanentError(
                f"{outside_text(member.name)} is not {text.encoding}; declare spec.source.csv.encoding", reason=reasons.NOT_TEXT
            ) from None
        if records.blank:
            _log.info("%s: %d blank lines left out", outside_text(member.name), records.blank)

    def _dialect(self, member: Member, text: Decoding) -> tuple[Dialect, int]:
        with member.open() as stream:
            characters = text.opened(stream)
            for _ in islice(characters, self._csv.skip_lines):
                pass
            sample = characters.read(SAMPLE)
        return dialect(self._csv, sample, whole=len(sample) < SAMPLE)

    def _watched(self, pages: Iterator[Page]) -> Iterator[Page]:
        for page in pages:
            if self._cancelled.is_set():
                raise AbortedError("cancelled while reading files", reason="Cancelled")
            yield page
