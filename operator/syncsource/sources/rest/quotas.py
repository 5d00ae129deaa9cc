"""What an upstream says of its rate limits: Retry-After, RateLimit fields (IETF draft ratelimit-headers, in its old forms, too), and the
X-RateLimit fields that came before them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import httpx

from syncsource.sources.rest.dates import parse_http_date, retry_after

_PREFIXES = ("ratelimit-", "x-ratelimit-", "x-rate-limit-")
_RESETS = ("reset", "reset-after")
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,9})?")
_MEMBER = re.compile(r"(?:^|[;,\s])(r|remaining|t|reset)=(\d{1,15})(?=$|[;,\s])")
_EPOCH, _EPOCH_MS = 1e8, 1e11
"""What is larger is seconds, or milliseconds, since 1970: as a wait it would be years."""
TOLD_LATER = frozenset((429, 503))
"""Statuses whose Retry-After asks for a pause."""


def pause(status: int, headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds for which the host wants no request; None where it asks for no pause. Instants are measured against the answer's own Date."""
    if status in TOLD_LATER and (asked := retry_after(headers, now)) is not None:
        return asked
    for prefix in _PREFIXES:
        if _number(headers.get(f"{prefix}remaining")) == 0:
            return _until_reset([headers.get(prefix + name) for name in _RESETS], parse_http_date(headers.get("date")) or now)
    return _of_one_field(headers.get("ratelimit"))


def mentioned(headers: httpx.Headers) -> bool:
    """Whether anything is said of rate limits: a quick look, since every answer is looked at."""
    return any(b"limit" in name.lower() for name, _ in headers.raw)


def spent(headers: Mapping[str, str]) -> bool:
    """Whether the upstream says that no request is left: some refuse with status 403 then."""
    return any(_number(headers.get(f"{prefix}remaining")) == 0 for prefix in _PREFIXES)


def _of_one_field(text: str | None) -> float | None:
    """``"default";r=0;t=30``, or ``limit=10, remaining=0, reset=30`` before it."""
    members = dict(_MEMBER.findall(text or ""))
    remaining, reset = members.get("r", members.get("remaining")), members.get("t", members.get("reset"))
    return float(reset) if remaining is not None and int(remaining) == 0 and reset is not None else None


def _until_reset(texts: list[str | None], now: datetime) -> float | None:
    return next((wait for text in texts if text and (wait := _seconds(text.strip(), now)) is not None), None)


def _seconds(text: str, now: datetime) -> float | None:
    number = _number(text)
    if number is None:
        moment = _instant(text)
        return None if moment is None else max((moment - now).total_seconds(), 0.0)
    if number < _EPOCH:
        return number
    return max(number / (1000 if number > _EPOCH_MS else 1) - now.timestamp(), 0.0)


def _number(text: str | None) -> float | None:
    return float(text) if text and _NUMBER.fullmatch(text.strip()) else None


def _instant(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return parse_http_date(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
