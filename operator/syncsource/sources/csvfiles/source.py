"""Files as pages, one after the other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from syncsource.errors import AbortedError, PermanentError, outside_text
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import PAUSE, Page, Slice
from syncsource.sources.csvfiles import header, reasons
from syncsource.sources.csvfiles.decoding import Decoding, decoding
from syncsource.sources.csvfiles.dialect import SAMPLE, Dialect, dialect
from syncsource.sources.csvfiles.finding import found
from syncsource.sources.csvfiles.holding import held
from syncsource.sources.csvfiles.lines import Rows
from syncsource.sources.csvfiles.packed import Member, members
from syncsource.sources.csvfiles.records import Records
from syncsource.sources.csvfiles.taken import Taken
from syncsource.sources.files import Files, Handed
from syncsource.sources.hosts import Hosts

if TYPE_CHECKING:
    from syncsource.sources.csvfiles.downloading import Downloading

_log = logging.getLogger(__name__)


class FileSource:
    """``spec.source.csv``. A file is read once, told by its content, unless everything is asked for."""

    def __init__(self, spec: SyncSourceSpec, files: Files, cancelled: threading.Event, download: Downloading | None = None) -> None:
        assert spec.source.csv is not None
        self._spec, self._csv = spec, spec.source.csv
        self._files, self._cancelled = files, cancelled
        self._download = None if files.handed else download
        self.state: str | None = None
        self.unchanged = False
        self.billed = 0
        self.known: Sequence[str] = ()

    @classmethod
    def open(
        cls, spec: SyncSourceSpec, secrets: Mapping[str, Mapping[str, str]], *, hosts: Hosts, cancelled: threading.Event, files: Files
    ) -> FileSource:
        """See :func:`syncsource.sources.open_source`."""
        assert spec.source.csv is not None
        if spec.source.csv.download is None or files.handed:
            return cls(spec, files, cancelled)
        from syncsource.sources.csvfiles.downloading import Downloading  # brings an HTTP client

        return cls(spec, files, cancelled, Downloading(spec.source.csv.download, secrets, hosts=hosts, cancelled=cancelled))

    @property
    def waits(self) -> bool:
        """See :class:`syncsource.sources.Source`: only for a download."""
        return self._download is not None

    def pages(self, part: Slice) -> Iterator[Page]:
        """See :class:`syncsource.sources.Source`."""
        self.state, self.unchanged, self.known = None, False, ()
        before = Taken.read(part.state)
        if self._download is None:
            digests = yield from self._read(found(self._csv.path, self._files), before)
            self.state = before.after(digests, handed=bool(self._files.handed)).text
            return
        with self._download.fetched(before.fetched) as file:
            if file is None:
                self.unchanged, self.state = True, part.state
                return
            digests = yield from self._read([file[0]], before)
            self.state = before.after(digests, fetched=file[1]).text

    def close(self) -> None:
        """See :class:`syncsource.sources.Source`."""
        if self._download is not None:
            self._download.close()

    def _read(self, files: Iterable[Handed], before: Taken) -> Generator[Page, None, list[str]]:
        """The pages of those that are new; returns the hashes of all."""
        digests: list[str] = []
        self.unchanged = True
        for file in files:
            if digests:
                yield PAUSE
            with held(file, self._cancelled) as open_file:
                digest = open_file.digest()
                if digest in digests or (before.known(digest) and not self._files.again):
                    self.known = [*self.known, file.name]
                    _log.info("%s was read before: nothing in it changed", outside_text(file.name))
                else:
                    self.unchanged = False
                    for number, member in enumerate(members(open_file, self._csv.members)):
                        if number:
                            yield PAUSE
                        yield from self._member(member)
                    open_file.check()
                digests.append(digest)
        return digests

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
