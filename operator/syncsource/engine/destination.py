"""The destination's database of a spec, opened by the URL in its Secret."""

from __future__ import annotations

from collections.abc import Mapping

from syncsource.destinations import Database, open_database
from syncsource.errors import StalledError
from syncsource.resource.spec import SyncSourceSpec


def opened_database(spec: SyncSourceSpec, secrets: Mapping[str, Mapping[str, str]]) -> Database:
    """Connects when it is first used. Raises StalledError (SecretNotFound, SecretInvalid)."""
    reference = spec.destination.sql.url_from.secret_key_ref
    url = secrets.get(reference.name, {}).get(reference.key)
    if url is None:
        raise StalledError(
            f"Secret {reference.name} has no key {reference.key}, which spec.destination.sql.urlFrom needs: add it", reason="SecretNotFound"
        )
    return open_database(url, named=f"key {reference.key} of Secret {reference.name}")
