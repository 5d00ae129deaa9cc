"""Tokens of an endpoint, shared by all runs of an operator."""

from __future__ import annotations

import time
from collections.abc import Callable

from syncsource.sources.hosts import Hosts
from syncsource.sources.hosts.guest import Token
from syncsource.sources.rest.asking import Ask
from syncsource.sources.rest.auth import check_name, with_header
from syncsource.sources.rest.client import Client
from syncsource.sources.rest.redaction import Redaction
from syncsource.sources.rest.tokenanswers import Form, token_of

Request = Callable[[str | None], Ask]
"""The request for a token, given the refresh token that took the declared one's place."""


class TokenSigner:
    """Sends the token in use. It is asked for where this source has none, or the upstream took the last one no more."""

    def __init__(
        self, shared_as: str, request: Request, form: Form, client: Client, redaction: Redaction, hosts: Hosts, header: str, prefix: str
    ) -> None:
        """``shared_as``: a hash of all that the token is fetched with. Raises StalledError (InvalidSpec)."""
        self._shared_as = shared_as
        self._request = request
        self._form = form
        self._client = client
        self._redaction = redaction
        self._hosts = hosts
        self._header, self._prefix = check_name(header, f"{form.field}.header"), prefix
        self._text, self._until = "", 0.0

    def sign(self, ask: Ask) -> Ask:
        """The request with the token."""
        if time.monotonic() >= self._until:
            self._take(self._hosts.lend(self._shared_as, self._client.longest, self._fetch))
        return with_header(ask, self._header, self._prefix + self._text)

    def renew(self) -> bool:
        """The token was refused: the next one is fetched, by whoever comes first."""
        self._hosts.refuse(self._shared_as, self._text)
        self._until = 0.0
        return True

    def close(self) -> None:
        """Gives the connection back."""
        self._client.close()

    def _take(self, token: Token) -> None:
        self._redaction.hide(token.text)
        self._text, self._until = token.text, time.monotonic() + token.seconds

    def _fetch(self, refresh: str | None) -> Token:
        if refresh is not None:
            self._redaction.hide(refresh)
        token = token_of(self._client.fetch(self._request(refresh)), self._form)
        for text in filter(None, (token.text, token.refresh)):
            self._redaction.hide(text)
        return token
