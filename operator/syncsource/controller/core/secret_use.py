"""Which SyncSources name which Secret, and at which version those Secrets were last seen. Their data is never kept."""

from __future__ import annotations

from collections import defaultdict

from syncsource.controller.core.happening import SecretSeen
from syncsource.controller.core.observed import Ref

_Secret = tuple[str, str]


class SecretUse:
    """Secrets that no SyncSource names are not remembered."""

    def __init__(self) -> None:
        self._users: defaultdict[_Secret, set[str]] = defaultdict(set)
        self._versions: dict[_Secret, str] = {}

    def rename(self, ref: Ref, old: frozenset[str], new: frozenset[str]) -> None:
        """The SyncSource named the old Secrets and names the new ones."""
        for name in new - old:
            self._users[ref.namespace, name].add(ref.key)
        for name in old - new:
            self._release((ref.namespace, name), ref.key)

    def users_of_changed(self, seen: SecretSeen) -> list[str]:
        """The keys of the SyncSources whose Secret changed. One that is listed for the first time did not."""
        secret = seen.namespace, seen.name
        if secret not in self._users:
            return []
        known = self._versions.get(secret)
        self._versions[secret] = seen.version
        if known == seen.version or (known is None and seen.listed):
            return []
        return sorted(self._users[secret])

    def _release(self, secret: _Secret, key: str) -> None:
        self._users[secret].discard(key)
        if not self._users[secret]:
            del self._users[secret]
            self._versions.pop(secret, None)
