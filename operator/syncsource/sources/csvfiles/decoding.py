"""The encoding of a text: what its byte order mark says, what is declared, UTF-8, or what is detected, in this order."""

from __future__ import annotations

import codecs
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from syncsource.errors import PermanentError, outside_text
from syncsource.sources.csvfiles import reasons
from syncsource.sources.csvfiles.holding import BLOCK
from syncsource.sources.csvfiles.packed import Member

LONGEST_LINE = 4 * 1024 * 1024
"""Bytes of a line that are held in memory. A file with a longer one is no file of lines."""

_log = logging.getLogger(__name__)

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DETECTED = (
    "cp1252",  # first, since it is by far the most frequent: of equally good ones the first is taken
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp1257",
    "koi8_r",
    "shift_jis",
    "euc_jp",
    "gb18030",
    "big5",
    "euc_kr",
)
_SAMPLE = 16 * 1024
_READABLE = 0.5
"""Share of disorder, in charset-normalizer's measure, up to which a text is one."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a text's bytes become characters."""

    encoding: str
    clean: bool
    """Whether every byte of it can be decoded; else those that can't become lone surrogates."""

    def opened(self, stream: BinaryIO) -> TextIO:
        """The text; its newlines are left as they are."""
        return io.TextIOWrapper(stream, self.encoding, "strict" if self.clean else "surrogateescape", newline="")


def decoding(member: Member, declared: str | None) -> Decoding:
    """Reads the text once to find out. Raises PermanentError (NotText, FileTooLarge), and what reading raises."""
    with member.open() as stream:
        first = stream.read(4096)
    encoding = _marked(first) or declared or _wide(first) or "utf-8"
    survey = _survey(member, encoding)
    if survey.clean:
        return Decoding(encoding, True)
    if codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")):
        said = "spec.source.csv.encoding says" if declared is not None else "its first bytes say"
        raise PermanentError(
            f"{outside_text(member.name)} is not {encoding}, as {said}; declare the encoding it has", reason=reasons.NOT_TEXT
        )
    if declared is not None or _marked(first):
        return Decoding(encoding, False)
    encoding = _detected(member, survey.sample)
    return Decoding(encoding, _survey(member, encoding).clean)


def _marked(first: bytes) -> str | None:
    return next((encoding for mark, encoding in _MARKS if first.startswith(mark)), None)


def _wide(first: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of Latin text is 0."""
    even, odd = first[0::2].count(0), first[1::2].count(0)
    if not first or max(even, odd) * 5 < len(first) or min(even, odd) * 20 > len(first):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


@dataclass(frozen=True, slots=True)
class _Survey:
    clean: bool
    sample: bytes
    """Lines with bytes beyond ASCII."""


def _survey(member: Member, encoding: str) -> _Survey:
    decoder, clean, sample = codecs.getincrementaldecoder(encoding)("strict"), True, bytearray()
    with member.open() as stream:
        for block in _blocks(stream, member.name):
            try:
                clean = clean and bool(decoder.decode(block, not block) or True)
            except UnicodeError:
                clean = False
            if not clean and len(sample) < _SAMPLE:
                sample += b"\n".join(line for line in block.splitlines() if not line.isascii())
    return _Survey(clean, bytes(sample[:_SAMPLE]))


def _blocks(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """The stream's blocks, an empty one at the end. Raises PermanentError where a line is too long to be one."""
    length = 0
    while block := stream.read(BLOCK):
        last = max(block.rfind(b"\n"), block.rfind(b"\r"))
        length = length + len(block) if last < 0 else len(block) - last
        if length > LONGEST_LINE:
            raise PermanentError(
                f"{outside_text(name)} has a line of more than {LONGEST_LINE:,} bytes: it is not a file of lines",
                reason=reasons.FILE_TOO_LARGE,
            )
        yield block
    yield b""


def _detected(member: Member, sample: bytes) -> str:
    found = [(*match, place, encoding) for place, encoding in enumerate(_DETECTED) if (match := _match(sample, encoding))]
    if not found or min(found)[0] > _READABLE:
        raise PermanentError(
            f"{outside_text(member.name)} is not UTF-8, and no text in an encoding that can be told; declare spec.source.csv.encoding, if it is a text",
            reason=reasons.NOT_TEXT,
        )
    encoding = min(found)[3]
    _log.warning(
        "%s is not UTF-8; it is read as %s, which is a guess: declare spec.source.csv.encoding to be sure",
        outside_text(member.name),
        encoding,
    )
    return encoding


def _match(sample: bytes, encoding: str) -> tuple[float, float] | None:
    """Disorder, and unlikeness to a language: the less, the better. None where the bytes are not in the encoding."""
    from charset_normalizer import from_bytes  # large, and rarely wanted

    match = from_bytes(sample, cp_isolation=[encoding], threshold=1.0, enable_fallback=False).best()
    return None if match is None else (match.chaos, -match.coherence)
