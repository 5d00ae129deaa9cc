"""The parameters of lists and watches, and which of them exclude each other (`metav1.ListOptions`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from syncsource.localplane import errors
from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.serving.requestinfo import is_true

_EXACT, _NOT_OLDER = "Exact", "NotOlderThan"
_MATCH = "resourceVersionMatch"
_DIGITS = 40
_LARGEST = {"ParseInt": 2**63 - 1, "ParseUint": 2**64 - 1}


@dataclass(frozen=True, slots=True)
class ListOptions:
    """`version` is None where none is given; `initial_events` is None where the client leaves it to the server; `limit` 0 is none."""

    version: int | None = None
    match: str = ""
    limit: int = 0
    token: str = ""
    timeout: int = 0
    bookmarks: bool = False
    initial_events: bool | None = None

    @property
    def is_exact(self) -> bool:
        """Whether the list must be of `version` and of no other: asked for, or asked for in pages."""
        return bool(self.version) and not self.token and (self.match == _EXACT or (not self.match and self.limit > 0))


def read_options(query: Mapping[str, str], *, watch: bool = False) -> ListOptions:
    """Raises the 400 or 422 of what can't be read or does not go together."""
    limit, timeout = _integer(query.get("limit", "")), _integer(query.get("timeoutSeconds", ""))
    initial = query.get("sendInitialEvents")
    match, token, text = query.get(_MATCH, ""), query.get("continue", ""), query.get("resourceVersion", "")
    causes = list(_watch_causes(match, token, initial) if watch else _list_causes(match, token, text, initial))
    if causes:
        raise errors.invalid("meta.k8s.io", "ListOptions", "", causes)
    version = _version(text, watch=watch)
    if token and version and not watch:
        raise errors.bad_request("specifying resource version is not allowed when using continue")
    return ListOptions(
        version, match, 0 if version == 0 else max(limit, 0), token, max(timeout, 0), is_true(query.get("allowWatchBookmarks")),
        None if initial is None else is_true(initial),
    )  # fmt: skip


def _list_causes(match: str, token: str, version: str, initial: str | None) -> Iterator[Cause]:
    if match and not version:
        yield cause.forbidden(_MATCH, "resourceVersionMatch is forbidden unless resourceVersion is provided")
    if match and token:
        yield cause.forbidden(_MATCH, "resourceVersionMatch is forbidden when continue is provided")
    if match and match not in {_EXACT, _NOT_OLDER}:
        yield cause.not_supported(_MATCH, match, [_EXACT, _NOT_OLDER, ""])
    if match == _EXACT and version == "0":
        yield cause.forbidden(_MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
    if initial is not None:
        yield cause.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")


def _watch_causes(match: str, token: str, initial: str | None) -> Iterator[Cause]:
    if initial is not None and match != _NOT_OLDER:
        yield cause.forbidden(_MATCH, f"sendInitialEvents requires setting resourceVersionMatch to {_NOT_OLDER}")
    if match and initial is None:
        yield cause.forbidden(_MATCH, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
    if match and match != _NOT_OLDER:
        yield cause.not_supported(_MATCH, match, [_NOT_OLDER])
    if match and token:
        yield cause.forbidden(_MATCH, "resourceVersionMatch is forbidden when continue is provided")


def _version(text: str, *, watch: bool) -> int | None:
    if not text:
        return None
    wrong = _number_problem(text, r"[0-9]+", "ParseUint")
    if wrong:
        wrong = f"resourceVersion: Invalid value: {cause.quoted(text)}: {wrong}"
        raise errors.APIError(500, "", wrong) if watch else errors.bad_request(f"invalid resource version: {wrong}")
    return int(text)


def _integer(text: str) -> int:
    wrong = text and _number_problem(text, r"[+-]?[0-9]+", "ParseInt")
    if wrong:
        raise errors.bad_request(wrong)
    return int(text or 0)


def _number_problem(text: str, pattern: str, function: str) -> str:
    """What the real server says of a number that it can't read."""
    why = "" if re.fullmatch(pattern, text, re.ASCII) else "invalid syntax"
    if not why and (len(text) > _DIGITS or abs(int(text)) > _LARGEST[function]):
        why = "value out of range"
    return f"strconv.{function}: parsing {cause.quoted(text)}: {why}" if why else ""
