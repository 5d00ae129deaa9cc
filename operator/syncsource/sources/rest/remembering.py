"""Whether an answer is the one of last time: validators of RFC 9110 (section 8.8) where the upstream sends them, else a hash of the body.

Only of reads that fit on one page: a validator of the first of several pages says nothing of the others. Nor does one where a header tells
whether another page follows: many servers make it of the body alone, and "not modified" would hide that a second page is there now.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b

import httpx
import msgspec

from syncsource.sources.rest.asking import Ask
from syncsource.sources.rest.dates import parse_http_date

_LONGEST = 1024
_SENDABLE = re.compile(rf"[\x20-\x7e]{{1,{_LONGEST}}}")


class Remembered(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of an answer. ``address`` and ``body`` are hashes, so that nothing of either can be read from it."""

    address: str
    body: str
    etag: str = ""
    modified: str = ""

    @classmethod
    def of(cls, ask: Ask, headers: httpx.Headers, content: bytes | None) -> Remembered:
        """Of the complete answer to a request, which has no credentials in it. ``content`` None: of a stream, which only validators tell."""
        body = "" if content is None else _hash(content)
        return cls(_address(ask), body, _kept(headers.get("etag")), _settled(headers))

    @classmethod
    def read(cls, state: str | None, ask: Ask) -> Remembered | None:
        """What :attr:`text` was, if it is about the same request."""
        try:
            found = msgspec.json.decode(state or "null", type=cls)
        except (msgspec.MsgspecError, UnicodeError):
            return None
        return found if found.address == _address(ask) else None

    @property
    def text(self) -> str:
        """To be kept until the next read."""
        return msgspec.json.encode(self).decode()

    @property
    def of_body(self) -> Remembered:
        """Without validators."""
        return Remembered(self.address, self.body)

    @property
    def conditions(self) -> Mapping[str, str]:
        """Headers that ask for the body only where it has changed (RFC 9110, section 13.1)."""
        found = {"if-none-match": self.etag, "if-modified-since": self.modified}
        return {name: value for name, value in found.items() if value}


def _address(ask: Ask) -> str:
    return _hash(msgspec.json.encode((str(ask.url), ask.method, ask.headers, ask.body)))


def _kept(header: str | None) -> str:
    return header if header and _SENDABLE.fullmatch(header) else ""


def _settled(headers: httpx.Headers) -> str:
    """Last-Modified, unless it is of the second in which the answer was made: what changes later in that second has the same (RFC 9110,
    section 8.8.2.2)."""
    modified, made = (parse_http_date(headers.get(name)) for name in ("last-modified", "date"))
    return _kept(headers.get("last-modified")) if modified and made and modified < made else ""


def _hash(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()
