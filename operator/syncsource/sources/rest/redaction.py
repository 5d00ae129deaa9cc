"""Keeps secrets out of messages: what an upstream sends back may hold what was sent to it."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

import httpx

from syncsource.errors import outside_text

HIDDEN = "***"
_LOOKED_AT = 4096
"""Characters of a text from outside that are looked at; a message shows far fewer."""


class Redaction:
    """Texts and URLs from outside, without the values of any Secret, in the forms in which servers echo them."""

    def __init__(self, values: Iterable[str], sent: Iterable[str] = (), query: str | None = None) -> None:
        """``values``: of all Secrets. ``sent``: those that requests carry. ``query``: the query parameter whose value is hidden."""
        self._values, self._carried = {*values}, {*sent}
        self._compile()
        self._parameter = re.compile(rf"([?&]{re.escape(quote_plus(query))}=)[^&#]*") if query else None

    def hide(self, value: str) -> None:
        """From now on requests carry this, too: a token that was fetched or signed."""
        if value not in self._carried:
            self._carried.add(value)
            self._compile()

    def text(self, text: str, limit: int = 200) -> str:
        """One line, without secrets and control characters, capped."""
        return outside_text(self._hide(text), limit)

    def url(self, url: httpx.URL, limit: int = 300) -> str:
        """The URL without userinfo, fragment and what requests carry. Other values stay: a database's name may be a path too."""
        text = str(url.copy_with(username=None, password=None, fragment=None))
        for pattern, shown in ((self._parameter, rf"\1{HIDDEN}"), (self._sent, HIDDEN)):
            text = pattern.sub(shown, text) if pattern else text
        return outside_text(text, limit)

    def _compile(self) -> None:
        self._secret, self._longest = _pattern(self._values | self._carried)
        self._sent, _ = _pattern(self._carried)

    def _hide(self, text: str) -> str:
        if self._secret is None:
            return text[:_LOOKED_AT]
        hidden = self._secret.sub(HIDDEN, text[:_LOOKED_AT])
        # The cut may leave the beginning of a secret, which no longer matches.
        return hidden if len(text) <= _LOOKED_AT else hidden[: max(len(hidden) - self._longest, 0)]


def _pattern(values: Iterable[str]) -> tuple[re.Pattern[str] | None, int]:
    """What finds these values in any form, and the longest form's length."""
    forms = sorted({form for value in values if value.strip() for form in _forms(value)}, key=len, reverse=True)
    return (re.compile("|".join(map(re.escape, forms)), re.IGNORECASE), len(forms[0])) if forms else (None, 0)


def _forms(value: str) -> Iterator[str]:
    for text in (value, value.strip()):
        yield from (text, quote(text, safe=""), quote(text), quote_plus(text), json.dumps(text)[1:-1], html.escape(text))
        yield base64.b64encode(text.encode()).decode()
