"""What is asked of an upstream: one request as a value, and how it is put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec

from syncsource.errors import PermanentError, outside_text
from syncsource.records.cursors import cursor_text
from syncsource.sources.rest.reasons import UNSENDABLE
from syncsource.sources.rest.urls import merged

_encode = msgspec.json.Encoder(decimal_format="number").encode
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request before credentials. Equal for equal requests, so that a read that goes in circles is seen."""

    url: httpx.URL
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    """Names in lower case. Those that carry credentials are the client's."""
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A request to which parameters of paging are added."""

    url: httpx.URL
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, Any] | None = None
    form: Mapping[str, str] | None = None

    def plus(self, send_in: str, parameters: Mapping[str, Any]) -> Draft:
        """With these parameters set: texts or numbers, which keep their kind in a JSON body."""
        if send_in == "Body" and self.form is None:
            return replace(self, json=_with_members(self.json or {}, parameters))
        texts = {name: cursor_text(value) for name, value in parameters.items()}
        if send_in == "Body":
            return replace(self, form={**(self.form or {}), **texts})
        if send_in == "Header":
            _check_sendable(texts)
            return replace(self, headers={**self.headers, **{name.lower(): text.strip() for name, text in texts.items()}})
        return replace(self, url=merged(self.url, texts))

    def at(self, url: httpx.URL) -> Draft:
        """The same for another URL, which the upstream named."""
        return replace(self, url=url)

    @property
    def ask(self) -> Ask:
        """The request as it is sent."""
        body, kind = _body(self)
        headers = {**kind, **self.headers}
        return Ask(self.url, self.method, tuple(headers.items()), body)


def _check_sendable(headers: Mapping[str, str]) -> None:
    """Values may come from the upstream. Raises PermanentError (Unsendable)."""
    for name, text in headers.items():
        if not text.isascii() or not text.isprintable():
            raise PermanentError(
                f"spec.source.http.pagination: {outside_text(name, 60)} can't be sent in a header with what the upstream gave for it: a value is "
                "ASCII without line breaks; set sendIn otherwise, if the upstream takes it there",
                reason=UNSENDABLE,
            )


def _body(draft: Draft) -> tuple[bytes | None, dict[str, str]]:
    if draft.form is not None:
        return urlencode(draft.form).encode("ascii"), {"content-type": FORM}
    return (None, {}) if draft.json is None else (_encode(draft.json), {"content-type": JSON})


def _with_members(body: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The body with members set; dots in a name lead into objects. The original stays as it is."""
    found = dict(body)
    for name, value in parameters.items():
        *path, last = name.split(".")
        place = found
        for step in path:
            inner = place.get(step)
            place[step] = dict(inner) if isinstance(inner, dict) else {}
            place = place[step]
        place[last] = value
    return found
