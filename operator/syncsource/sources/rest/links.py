"""The Link header (RFC 8288)."""

from __future__ import annotations

import re

_VALUE = r'"(?:[^"\\]|\\.)*"|[^\s";,]+'
_PARAMETER = re.compile(rf"\s*;\s*([\w!#$&+.^`|~*-]+)?\s*(?:=\s*({_VALUE}))?")
_TARGET = re.compile(r"[\s,]*<([^>]*)>")


def next_link(header: str, rel: str = "next") -> str | None:
    """The target of the first link whose relation types include ``rel``; None where no link has it.

    Several Link headers count as one, joined with commas.
    """
    place = 0
    while (target := _TARGET.match(header, place)) is not None:
        relations, place = _relations(header, target.end())
        if rel.lower() in relations:
            return target[1].strip()
    return None


def _relations(header: str, place: int) -> tuple[list[str], int]:
    """The relation types of the link whose parameters begin at ``place``, and where they end. Only the first ``rel`` counts."""
    relations: list[str] | None = None
    while (parameter := _PARAMETER.match(header, place)) is not None:
        name, value = parameter.groups()
        if relations is None and (name or "").lower() == "rel":
            relations = (value or "").strip('"').lower().split()
        place = parameter.end()
    return relations or [], place
