"""How an instant may be written in a request."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

FORMATS = ("iso8601", "date", "epochSeconds", "epochMilliseconds")
_DIRECTIVES = frozenset("YymdjHMSfzTFbB%")
_DAYS = (("Y", "y", "F"), ("m", "b", "B", "j", "F"), ("d", "j", "F"))


def check_pattern(pattern: str) -> str:
    """A pattern of strftime that holds the day at least, so that nothing is read from the wrong end; or a ValueError."""
    used = re.findall(r"%(.?)", pattern, re.DOTALL)
    unknown = [f"%{letter}" for letter in used if letter not in _DIRECTIVES or not letter]
    if unknown:
        raise ValueError(f"{pattern!r}: {unknown[0]} is not known; there are {', '.join(f'%{letter}' for letter in sorted(_DIRECTIVES))}")
    if not all(set(letters) & set(used) for letters in _DAYS):
        raise ValueError(f"{pattern!r} must hold year, month and day, for example %Y-%m-%d")
    return pattern


def check_format(text: str) -> str:
    """One of FORMATS, or a pattern of strftime; or a ValueError."""
    if text in FORMATS:
        return text
    if "%" not in text:
        raise ValueError(f"{text!r} is not a format: it may be {', '.join(FORMATS)}, or a pattern such as %Y-%m-%d %H:%M:%S")
    return check_pattern(text)


MomentFormat = Annotated[
    str, Field(min_length=1, max_length=64, pattern=rf"^({'|'.join(FORMATS)}|.*%[A-Za-z].*)$"), AfterValidator(check_format)
]
