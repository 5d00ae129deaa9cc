"""NDJSON: a record per line, read as it comes, in constant memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from syncsource.errors import PermanentError, RetryableError, SyncError
from syncsource.records.batch import Broken
from syncsource.sources.rest import reasons
from syncsource.sources.rest.answers import Answer
from syncsource.sources.rest.bounds import EXCERPT, bounded, too_large
from syncsource.sources.rest.dates import parse_http_date
from syncsource.sources.rest.decoding import BOM, TRUNCATED, decode, what_is_wrong
from syncsource.sources.rest.duplicates import looks_twice, marked, set_aside
from syncsource.sources.rest.incoming import Incoming

BLOCK = 512 * 1024
"""Bytes of lines that make a page, at least; a page has some thousand records."""
TYPES = frozenset(("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "application/jsonlines"))
_decode_lines = msgspec.json.Decoder(float_hook=Decimal).decode_lines


def is_ndjson(incoming: Incoming, declared: str | None) -> bool:
    """Whether lines are to be expected: as ``spec.source.http.format`` says, else as the content type does."""
    if declared is not None:
        return declared == "NDJSON"
    return incoming.headers.get("content-type", "").partition(";")[0].strip().lower() in TYPES


@dataclass(frozen=True, slots=True)
class Lines:
    """Records that came together, and the number of each one's line, from 1."""

    records: list[Any]
    positions: list[int] | range


class Stream:
    """An answer of lines. Iterate over it once, then ask for its :attr:`answer`."""

    def __init__(self, incoming: Incoming, longest: int) -> None:
        self._incoming, self._longest = incoming, longest
        self._size, self._sum, self._line = 0, 0, 0

    def __iter__(self) -> Iterator[Lines]:
        """Raises RetryableError (ConnectionLost), PermanentError (NotJSON), AbortedError. A line that is no record is a Broken."""
        try:
            for block in self._blocks():
                page = self._page(block)
                self._incoming.more_time()
                if page.records:
                    yield page
                    self._incoming.more_time()
        finally:
            self._incoming.close()

    @property
    def served_at(self) -> datetime | None:
        """The Date header as an instant in UTC, or None."""
        return parse_http_date(self._incoming.headers.get("date"))

    @property
    def answer(self) -> Answer:
        """What it was an answer to, after its end."""
        incoming = self._incoming
        return Answer(incoming.call, incoming.status, incoming.headers, None, (self._size, self._sum))

    def close(self) -> None:
        """Gives the connection back."""
        self._incoming.close()

    def _blocks(self) -> Iterator[bytes | Broken]:
        """Whole lines, many at once; or what stands for one that is too long. The last may lack its line break."""
        kept, chunks = bytearray(), self._chunks()
        for chunk in chunks:
            kept += chunk
            end = kept.rfind(b"\n") + 1
            if end and len(kept) >= BLOCK:
                yield bytes(kept[:end])
                del kept[:end]
            elif not end and len(kept) > self._longest + BLOCK:
                size, rest = _rest_of_line(len(kept), chunks)
                yield too_large(bytes(kept[: 4 * EXCERPT]), size, self._longest)
                kept = bytearray(rest)
        if kept:
            yield bytes(kept)

    def _chunks(self) -> Iterator[bytes]:
        for chunk in self._incoming.chunks():
            begun, self._size = self._size, self._size + len(chunk)
            self._sum = zlib.crc32(chunk, self._sum)
            yield chunk if begun else chunk.removeprefix(BOM)

    def _page(self, block: bytes | Broken) -> Lines:
        if isinstance(block, Broken):
            self._line += 1
            return Lines([block], [self._line])
        first, count = self._line + 1, block.count(b"\n") + (not block.endswith(b"\n"))
        self._line += count
        try:
            records = _decode_lines(block)
        except (ValueError, ArithmeticError, RecursionError):
            return self._one_by_one(block, first)
        if len(records) != count or looks_twice(block, records):
            return self._one_by_one(block, first)
        return Lines(bounded(records, self._longest, len(block)), range(first, first + count))

    def _one_by_one(self, block: bytes, first: int) -> Lines:
        """The way for blocks with an empty line or one that is no record."""
        lines = [(number, line) for number, line in enumerate(block.split(b"\n"), first) if line.strip()]
        cut = 0 if block.endswith(b"\n") else self._line
        return Lines([self._record(line, number, cut) for number, line in lines], [number for number, _ in lines])

    def _record(self, line: bytes, number: int, cut: int) -> Any:
        if len(line) > self._longest:
            return too_large(line[: 4 * EXCERPT], len(line), self._longest)
        try:
            record = decode(line)
        except (msgspec.ValidationError, ArithmeticError):
            return _broken(reasons.NUMBER_OUT_OF_RANGE, "a number has more digits than can be kept exactly", line)
        except (ValueError, RecursionError) as error:
            cause = what_is_wrong(line, error)
            if number in (1, cut):
                raise self._refusal(line, number, cause) from None
            return _broken(reasons.NOT_JSON, f"not JSON ({cause if cause != TRUNCATED else 'it ends too early'})", line)
        twin = marked(line, record)
        return record if twin is None else set_aside([record], [twin])[0]

    def _refusal(self, line: bytes, number: int, cause: str) -> SyncError:
        """A first line that is no JSON tells of something else than records, a last one without line break of a lost connection."""
        call = self._incoming.call
        if number > 1 or cause == TRUNCATED:
            return RetryableError(
                f"{call}: the connection was lost before the answer was complete: line {number} is cut", reason=reasons.CONNECTION_LOST
            )
        kind = call.redaction.text(self._incoming.headers.get("content-type", "no content type"), 80)
        shown = call.redaction.text(line[:8192].decode("utf-8", "replace"))
        return PermanentError(
            f"{call} answered {self._incoming.status} with {kind}, of which line 1 is not JSON ({call.redaction.text(cause, 120)}): {shown}",
            reason=reasons.NOT_JSON,
        )


def _rest_of_line(size: int, chunks: Iterator[bytes]) -> tuple[int, bytes]:
    """Passes over a line of which ``size`` bytes are known: its bytes in all, and what follows it."""
    for chunk in chunks:
        end = chunk.find(b"\n")
        if end >= 0:
            return size + end, chunk[end + 1 :]
        size += len(chunk)
    return size, b""


def _broken(reason: str, message: str, line: bytes) -> Broken:
    return Broken(reason, message, line[: 4 * EXCERPT].decode("utf-8", "replace")[:EXCERPT])
