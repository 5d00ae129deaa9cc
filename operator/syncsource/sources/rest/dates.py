"""HTTP dates and Retry-After (RFC 9110, sections 5.6.7 and 10.2.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"\d{1,9}")


def parse_http_date(text: str | None) -> datetime | None:
    """The instant in UTC; None where there is none, or none that can be read."""
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that Retry-After asks to wait, at least 0; None where it asks for nothing.

    A date is measured against the answer's own Date, so that a wrong clock on either side does no harm; without one, against ``now``.
    """
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    until = parse_http_date(value)
    if until is None:
        return None
    return max((until - (parse_http_date(headers.get("date")) or now)).total_seconds(), 0.0)
