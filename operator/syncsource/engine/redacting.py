"""The last guard before a message leaves a run: no secret value may stand in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote, urlsplit

SHORTEST = 4
"""Shorter values are not looked for: they would blank out half of every message, and guessing them is no work."""


def redact(message: str, secrets: Mapping[str, Mapping[str, str]]) -> str:
    """The message with every secret value, and every password within one, replaced by ``***``."""
    for value in sorted(_forms(secrets), key=len, reverse=True):
        message = message.replace(value, "***")
    return message


def _forms(secrets: Mapping[str, Mapping[str, str]]) -> set[str]:
    values = {value for data in secrets.values() for value in data.values()}
    values |= set(_passwords(values))
    return {form for value in values for form in (value, quote(value, safe=""), value.strip()) if len(form) >= SHORTEST}


def _passwords(values: Iterable[str]) -> Iterable[str]:
    for value in values:
        try:
            password = urlsplit(value).password
        except ValueError:
            continue
        if password:
            yield password
            yield unquote(password)
