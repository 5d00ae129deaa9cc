"""Database URLs, as they stand in a Secret. No message ever quotes one: it holds a password."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from syncsource.errors import StalledError
from syncsource.resource.parts import SecretKeyRef

_NAMES = {"postgresql": "postgresql", "postgres": "postgresql", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite"}
_FORMS = {
    "postgresql": "postgresql://user:password@host:5432/name",
    "mysql": "mysql://user:password@host:3306/name",
    "sqlite": "sqlite:////path/to/file.db",
}


def kept_url(reference: SecretKeyRef, secrets: Mapping[str, Mapping[str, str]], field: str) -> tuple[str, str]:
    """The text of the URL in a Secret, and the name of its place for messages. StalledError (SecretNotFound): ``field`` needs it."""
    url = secrets.get(reference.name, {}).get(reference.key)
    if url is None:
        raise StalledError(f"Secret {reference.name} has no key {reference.key}, which {field} needs: add it", reason="SecretNotFound")
    return url, f"key {reference.key} of Secret {reference.name}"


def parse_url(text: str, source: str, kinds: Sequence[str]) -> URL:
    """The URL, its drivername one of ``kinds``: postgresql, mysql, sqlite. ``source`` names where it was kept, for messages.

    StalledError (InvalidSpec) where it can't be used. A SQLite file need not be there.
    """
    try:
        url = make_url(text.strip())
        kind = _NAMES.get(url.get_backend_name())
    except (ArgumentError, ValueError):
        raise StalledError(f"{source} is not a database URL: write {_forms(kinds)}") from None
    if kind not in kinds:
        raise StalledError(f"{source} names the database {url.get_backend_name()!r}, which is not supported: write {_forms(kinds)}")
    url = url.set(drivername=kind)
    return _file(url, source) if kind == "sqlite" else _server(url, source, kinds)


def where(url: URL) -> str:
    """The database's place without user and password, for messages."""
    if url.drivername == "sqlite":
        return url.database or ""
    host = url.host or url.query.get("host") or "localhost"
    return f"{host if isinstance(host, str) else host[0]}{f':{url.port}' if url.port else ''}/{url.database or ''}"


def secrets_of(url: URL) -> tuple[str, ...]:
    """Texts that must not be seen: the password, as it is and as the URL writes it."""
    queried = url.query.get("password")
    passwords = [str(url.password or ""), *([queried] if isinstance(queried, str) else queried or ())]
    return tuple({form for password in passwords if password for form in (password, quote(password, safe=""))})


def _server(url: URL, source: str, kinds: Sequence[str]) -> URL:
    if "@" in f"{url.host}{url.database}":
        raise StalledError(f"{source}: a user or password with an @ in it must have %40 in its place: write {_forms(kinds)}")
    if not url.database:
        raise StalledError(f"{source} names no database: write {_forms(kinds)}")
    return url


def _file(url: URL, source: str) -> URL:
    if url.host or url.username or url.query:
        raise StalledError(f"{source}: a SQLite URL has a path only, and four slashes before an absolute one: sqlite:////path/to/file.db")
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise StalledError(f"{source}: SQLite needs a file, since its rows must outlive a run: sqlite:////path/to/file.db")
    if Path(url.database).is_dir():
        raise StalledError(f"{source}: {url.database} is a folder: name a file in it")
    return url


def _forms(kinds: Sequence[str]) -> str:
    forms = [_FORMS[kind] for kind in kinds]
    return f"{', '.join(forms[:-1])} or {forms[-1]}"
