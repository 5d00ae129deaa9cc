"""Continue tokens of lists: where a page ended, and the version of all its pages (`k8s.io/apiserver/pkg/storage`)."""

from __future__ import annotations

import base64
import posixpath
import re
from typing import Any

from syncsource.localplane import errors
from syncsource.localplane.errors import APIError
from syncsource.localplane.storage.encoding import decode, encode_ordered

LATEST = -1
_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue"
    " parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided"
    " token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was"
    " returned and now may show up in the list."
)
Place = tuple[str, str]


def make_token(version: int, namespace: str, after: Place) -> str:
    """`namespace` is the one that is listed, empty for all; version LATEST for a list that need not be consistent."""
    place = after[1] if namespace or not after[0] else "/".join(after)
    value = {"v": "meta.k8s.io/v1", "rv": version, "start": f"/{place}\0"}
    return base64.urlsafe_b64encode(encode_ordered(value)).decode().rstrip("=")


def read_token(token: str, namespace: str, *, namespaced: bool) -> tuple[int, Place]:
    """The version, LATEST for any, and the last place of the page before; raises the 400 of a token that nobody made."""
    value = _value(token)
    if value.get("v") != "meta.k8s.io/v1":
        raise _invalid(f": server does not recognize this encoded version {value.get('v', '')}")
    version, start = value.get("rv", 0), value.get("start", "")
    if type(version) is not int or version == 0:
        raise _invalid(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
    if not isinstance(start, str) or not start:
        raise _invalid(": encoded start key empty (version meta.k8s.io/v1)")
    place = start if start.startswith("/") else f"/{start}"
    if posixpath.normpath(place) != place or place.startswith("//"):
        raise _invalid(f": {start}")
    return max(version, LATEST), _place(place[1:].partition("\0")[0], namespace, namespaced=namespaced)


def too_old(namespace: str, after: Place) -> APIError:
    """The 410 of a token before the history, with one that goes on at the version of now."""
    return errors.APIError(410, "Expired", _TOO_OLD, metadata={"continue": make_token(LATEST, namespace, after)})


def _place(text: str, namespace: str, *, namespaced: bool) -> Place:
    if namespace or not namespaced:
        return namespace, text
    before, _, name = text.partition("/")
    return before, name


def _value(token: str) -> dict[str, Any]:
    if not re.fullmatch(r"[A-Za-z0-9_-]*", token, re.ASCII):
        position = next(index for index, letter in enumerate(token) if not re.match(r"[A-Za-z0-9_-]", letter, re.ASCII))
        raise _invalid(f": illegal base64 data at input byte {position}")
    try:
        value = decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError as wrong:
        raise _invalid(f": {wrong}") from wrong
    if not isinstance(value, dict):
        raise _invalid(": the token is not an object")
    return value


def _invalid(why: str) -> APIError:
    return errors.bad_request(f"invalid continue token: continue key is not valid{why}")
