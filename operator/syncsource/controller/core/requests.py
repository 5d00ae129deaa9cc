"""What the annotations ask for.

Any new value of ``requestedAt`` asks for one run. ``fullRefreshAt`` with the same value makes it a full one, and counts once more where it
arrives after its request was taken. Any new value of ``verifyRequestedAt`` asks for one verification. Absence asks for nothing: managers prune annotations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from syncsource.resource import api
from syncsource.resource.status import SyncSourceStatus

LONGEST_TOKEN = 128
"""Bytes of an annotation's value that status keeps as they are; of a longer one it keeps the sha256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """The annotations' values as status keeps them; None: not there."""

    run: str | None = None
    full: str | None = None
    outdated: bool = False
    """Whether the request is older than the object: a restored manifest asks for nothing."""
    verify: str | None = None
    verify_outdated: bool = False

    def pending(self, status: SyncSourceStatus) -> bool:
        """Whether a run is asked for that was not taken yet."""
        return self.run is not None and (self.run != status.last_handled_request_at or self.pending_full(status))

    def pending_full(self, status: SyncSourceStatus) -> bool:
        """Whether a full refresh is asked for that was not taken yet."""
        return self.full is not None and self.full == self.run and self.full != status.last_handled_full_refresh_at

    def pending_verify(self, status: SyncSourceStatus) -> bool:
        """Whether a verification is asked for that was not carried out yet."""
        return self.verify is not None and self.verify != status.last_handled_verify_at


def read_requests(annotations: Mapping[str, str], *, created: datetime | None) -> Requests:
    """The requests of an object that was created at ``created``."""
    asked, verify = annotations.get(api.REQUESTED_AT), annotations.get(api.VERIFY_REQUESTED_AT)
    return Requests(
        run=_token(asked),
        full=_token(annotations.get(api.FULL_REFRESH_AT)),
        outdated=_older(asked, created),
        verify=_token(verify),
        verify_outdated=_older(verify, created),
    )


def _token(value: str | None) -> str | None:
    if value is None or len(value.encode()) <= LONGEST_TOKEN:
        return value
    return sha256(value.encode()).hexdigest()


def _older(value: str | None, created: datetime | None) -> bool:
    moment = _instant(value)
    return moment is not None and created is not None and moment < created


def _instant(value: str | None) -> datetime | None:
    """The instant of an RFC 3339 value; other values name none."""
    try:
        moment = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
