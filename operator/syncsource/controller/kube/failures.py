"""What can go wrong between us and an API server, by what happens next.

ApiError
├── Away        it can't be reached or is overloaded: try again
├── Gone        the object is not there, or another took its place
├── Conflict    the object changed since we looked: look again
└── Rejected    it will not do this, however often it is asked
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from kubernetes.aio.client.exceptions import ApiException

from syncsource.errors import outside_text


class ApiError(Exception):
    """A request to the API server failed."""


class Away(ApiError):
    """The API server can't be reached, is overloaded, or does not know us at the moment."""


class Gone(ApiError):
    """The object does not exist (any more)."""


class Conflict(ApiError):
    """The object is not as it was expected to be."""


class Rejected(ApiError):
    """The API server refuses: no permission, or not valid. ``status`` is the HTTP status."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


_AWAY = (401, 408, 429)
_CONFLICT = (409, 422)
"""A JSON patch whose test fails is answered with 422."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise an :class:`ApiError` for each error of the client."""
    try:
        yield
    except ApiException as error:
        raise _kind(error) from error
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Away(outside_text(f"{type(error).__name__}: {error}")) from error


def _said(error: ApiException) -> str:
    """The message of a Status, or whatever the body is."""
    try:
        return str(json.loads(error.body or "")["message"])
    except (ValueError, TypeError, KeyError):
        return str(error.body)


def _kind(error: ApiException) -> ApiError:
    status = int(error.status or 0)
    message = outside_text(f"{status} {error.reason}: {_said(error)}")
    if status == 404:
        return Gone(message)
    if status in _CONFLICT:
        return Conflict(message)
    if status in _AWAY or status >= 500 or status == 0:
        return Away(message)
    return Rejected(message, status)
