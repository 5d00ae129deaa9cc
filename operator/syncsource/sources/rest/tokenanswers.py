"""What token endpoints answer (RFC 6749, section 5), and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
from jmespath.exceptions import JMESPathError

from syncsource.errors import PermanentError, SyncError
from syncsource.records.paths import finder
from syncsource.sources.hosts.guest import Token
from syncsource.sources.rest import reasons
from syncsource.sources.rest.answers import Call, Received
from syncsource.sources.rest.failures import refused

LONGEST_TOKEN = 16 * 1024
"""Characters: more than that no server takes in a header."""
LONGEST_LIFE = 86_400.0
"""Seconds after which a token is fetched anew, whatever its answer says."""
_SENDABLE = re.compile(r"[\x21-\x7e]+")
_SECONDS = re.compile(r"[0-9]{1,18}")
_CODE = re.compile(r"[a-z_]{1,40}")
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


@dataclass(frozen=True, slots=True)
class Form:
    """Where in an answer the token and its life stand. ``field``: the part of the spec that says so."""

    field: str
    token: str
    expires: str | None
    lifetime: timedelta


def token_of(received: Received, form: Form) -> Token:
    """The token in an answer with a status of success. Raises PermanentError (TokenUnusable)."""
    try:
        body = _decode(received.content)
    except (ValueError, RecursionError, ArithmeticError):
        kind = received.call.redaction.text(received.headers.get("content-type", "no content type"), 80)
        raise _unusable(
            received.call, f"answered {received.status} with {kind}, which is not JSON; check {received.call.address}"
        ) from None
    text = _found(form.token, body)
    if not isinstance(text, str) or not text:
        raise _unusable(received.call, f"answered without a token at {form.token!r}; check {form.field}.tokenPath")
    if len(text) > LONGEST_TOKEN or not _SENDABLE.fullmatch(text):
        raise _unusable(received.call, "answered with a token that can't be sent in a header")
    refresh = _found("refresh_token", body)
    return Token(text, _life(received.call, body, form), refresh if isinstance(refresh, str) and refresh else None)


def token_refused(field: str) -> Callable[[Call, int, str, float | None, str | None], SyncError]:
    """What a status that is no success means at a token endpoint, which ``field`` names."""

    def translate(call: Call, status: int, body: str, after: float | None, secret: str | None) -> SyncError:
        if status in (400, 401, 403):
            return PermanentError(
                f"{call} answered {status}{_told(call, body)}; check Secret {secret} and {field}", reason=reasons.AUTH_FAILED
            )
        if status == 404:
            return PermanentError(f"{call} answered 404; check {call.address}", reason=reasons.NOT_FOUND)
        return refused(call, status, body, after, secret)

    return translate


def _told(call: Call, body: str) -> str:
    """``error`` and ``error_description``, and nothing else: the rest of such a body may repeat what was sent."""
    try:
        said: Any = _decode(body)
    except (ValueError, RecursionError, ArithmeticError):
        return ""
    said = said if isinstance(said, dict) else {}
    code, words = said.get("error"), said.get("error_description")
    shown = f", {code}" if isinstance(code, str) and _CODE.fullmatch(code) else ""
    return shown + (f": {call.redaction.text(words)}" if isinstance(words, str) and words.strip() else "")


def _life(call: Call, body: Any, form: Form) -> float:
    found = _found(form.expires, body) if form.expires else None
    if found is None:
        return min(form.lifetime.total_seconds(), LONGEST_LIFE)
    if isinstance(found, str) and _SECONDS.fullmatch(found.strip()):
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int | Decimal) or found <= 0:
        shown = call.redaction.text(str(found), 40)
        raise _unusable(
            call, f"answered that the token expires in {shown!r}, which is not a number of seconds above 0; check {form.field}.expiresPath"
        )
    return float(min(found, Decimal(LONGEST_LIFE)))


def _found(path: str, body: Any) -> Any:
    try:
        return finder(path)(body)
    except JMESPathError:
        return None


def _unusable(call: Call, what: str) -> PermanentError:
    return PermanentError(f"{call} {what}", reason=reasons.TOKEN_UNUSABLE)
