"""Semantic versions in CEL."""

from __future__ import annotations

import re
from typing import Any

from syncsource.localplane.admission.cel.functions import Function, opaque, parses, text_of

_SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


def _semver(text: str) -> dict[str, str]:
    if not _SEMVER.fullmatch(text):
        raise ValueError(f"invalid semantic version {text!r}")
    return opaque("Semver", text)


def _normal(text: str) -> str:
    """A version without a leading v, of three numbers without leading zeros."""
    numbers, rest = re.match(r"v?([0-9.]*)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    parts = [part.lstrip("0") or "0" if part else part for part in numbers.split(".")]
    return ".".join([*parts, *["0"] * (3 - len(parts))]) + rest


def _numbers(value: dict[str, str]) -> tuple[int, int, int]:
    major, minor, patch = text_of(value).partition("-")[0].partition("+")[0].split(".")
    return int(major), int(minor), int(patch)


def precedence(text: str) -> tuple[Any, ...]:
    """What versions are ordered by: one with a pre-release comes before the one without."""
    before = (_SEMVER.fullmatch(text) or [None] * 5)[4]
    names = tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in before.split(".")) if before else ()
    return (*_numbers({"": text}), before is None, names)


SEMVERS = [
    Function("isSemver", ("string",), "bool", parses(_semver), member=False),
    Function("semver", ("string",), "Semver", _semver, member=False),
    Function("isSemver", ("string", "bool"), "bool", lambda text, loose: parses(_semver)(_normal(text) if loose else text), member=False),
    Function("semver", ("string", "bool"), "Semver", lambda text, loose: _semver(_normal(text) if loose else text), member=False),
    *(
        Function(name, ("Semver",), "int", lambda value, place=place: _numbers(value)[place])
        for place, name in enumerate(("major", "minor", "patch"))
    ),
]
