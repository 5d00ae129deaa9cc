"""Which part of a log a client asks for: the query of a Pod's `log` (PodLogOptions)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from syncsource.localplane import errors, podlogs
from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.serving.requestinfo import is_true


@dataclass(frozen=True, slots=True)
class LogOptions:
    """PodLogOptions; `since` is in the form in which lines begin, None stands for no limit."""

    container: str
    follow: bool
    previous: bool
    timestamps: bool
    since: bytes
    tail: int | None
    limit: int | None


def log_options(pod: str, query: Mapping[str, str], now: dt.datetime) -> LogOptions:
    """The options in a query; raises the 400 of what is no number or instant, the 422 of what is out of bounds."""
    tail, limit, seconds = (_integer(query, name) for name in ("tailLines", "limitBytes", "sinceSeconds"))
    instant = _instant(query.get("sinceTime", ""))
    causes = list(_causes(tail, limit, seconds, instant))
    if causes:
        raise errors.invalid("", "PodLogOptions", pod, causes)
    since = instant if seconds is None else now - dt.timedelta(seconds=min(seconds, 10**9))
    return LogOptions(
        container=query.get("container", ""),
        follow=is_true(query.get("follow")),
        previous=is_true(query.get("previous")),
        timestamps=is_true(query.get("timestamps")),
        since=b"" if since is None else podlogs.instant(since),
        tail=tail,
        limit=limit,
    )


def _causes(tail: int | None, limit: int | None, seconds: int | None, instant: dt.datetime | None) -> Iterator[Cause]:
    if tail is not None and tail < 0:
        yield cause.invalid("tailLines", tail, "must be greater than or equal to 0")
    if limit is not None and limit < 1:
        yield cause.invalid("limitBytes", limit, "must be greater than 0")
    if seconds is not None and instant is not None:
        yield cause.forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified")
    elif seconds is not None and seconds < 1:
        yield cause.invalid("sinceSeconds", seconds, "must be greater than 0")


def _integer(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise errors.bad_request(f'{name}: strconv.ParseInt: parsing "{text[:100]}": invalid syntax')
    return int(text)


def _instant(text: str) -> dt.datetime | None:
    if not text:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
        return moment.astimezone(dt.UTC) if moment.tzinfo is not None and "T" in text else _not_an_instant(text)
    except (ValueError, OverflowError):
        return _not_an_instant(text)


def _not_an_instant(text: str) -> NoReturn:
    raise errors.bad_request(f"sinceTime: {text[:100]!r} is not an instant of RFC 3339, such as 2026-01-31T08:00:00Z")
