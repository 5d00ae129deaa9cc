"""Five-field cron expressions, with ``H``: a value hashed from the object's uid, so that many schedules spread out.

``H`` stands for a fixed value of the field's range, ``H(0-29)`` for one of that range, and ``H/15`` for every
15th from a hashed offset. The syntax is Jenkins's.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import blake2b

from cronsim import CronSim, CronSimError

_RANGES = ((0, 59), (0, 23), (1, 28), (1, 12), (0, 6))
_HASHED = re.compile(r"H(?:\((\d+)-(\d+)\))?(?:/(\d+))?")
_NAMES = ("minute", "hour", "day of month", "month", "day of week")


def resolve_cron(expression: str, uid: str) -> str:
    """The expression with every ``H`` replaced by what ``uid`` hashes to. Same uid, same result. Raises ValueError."""
    fields = expression.split()
    if len(fields) != 5:
        raise ValueError(f"{expression!r} has {len(fields)} fields; cron needs five: {', '.join(_NAMES)}")
    return " ".join(_resolve_field(field, index, uid) for index, field in enumerate(fields))


def check_cron(expression: str) -> str:
    """The expression itself if it is valid, or a ValueError that says what is not."""
    resolved = resolve_cron(expression, "")
    try:
        ticks = CronSim(resolved, datetime(2000, 1, 1, tzinfo=UTC))
        next(ticks)
    except CronSimError as error:
        raise ValueError(f"{expression!r} is not a cron expression: {error}") from error
    except StopIteration:
        raise ValueError(f"{expression!r} never comes due") from None
    return expression


def _resolve_field(field: str, index: int, uid: str) -> str:
    return ",".join(_resolve_item(item, index, uid) for item in field.split(","))


def _resolve_item(item: str, index: int, uid: str) -> str:
    if "H" not in item:
        return item
    match = _HASHED.fullmatch(item)
    if match is None:
        raise ValueError(f"{item!r}: write H, H(low-high), H/step or H(low-high)/step")
    low, high = (int(match[1]), int(match[2])) if match[1] else _RANGES[index]
    if low > high:
        raise ValueError(f"{item!r}: {low} is larger than {high}")
    if match[3] is None:
        return str(_hashed(uid, index, low, high))
    step = int(match[3])
    if not 0 < step <= high - low + 1:
        raise ValueError(f"{item!r}: the step must lie between 1 and {high - low + 1}")
    return f"{_hashed(uid, index, low, low + step - 1)}-{high}/{step}"


def _hashed(uid: str, index: int, low: int, high: int) -> int:
    digest = blake2b(f"{uid}/{index}".encode(), digest_size=8).digest()
    return low + int.from_bytes(digest, "big") % (high - low + 1)
