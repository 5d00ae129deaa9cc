"""Sources that read from the test Firestore."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources import Slice, Source, local_hosts, open_source
from syncsource.sources.firestore.client import LARGEST, Client
from syncsource.sources.firestore.reading import COMFORTABLE
from syncsource.sources.firestore.source import FirestoreSource
from syncsource.sources.rest.redaction import Redaction
from tests.firestore.server import DATABASE, PROJECT, Firestore

SECRET = "google"


def spec_of(server: Firestore, incremental: str | None = None, **more: Any) -> SyncSourceSpec:
    """A spec of which only the reading matters. ``fields`` and what else a spec has go by its name, the rest into the source."""
    whole = {name: more.pop(name) for name in ("fields", "destination", "partitions") if name in more}
    source = {"project": PROJECT, "database": DATABASE, "collection": "orders", "endpoint": server.url, "retry": {"attempts": 1}, **more}
    if server.account:
        source["auth"] = {"serviceAccount": {"secretRef": {"name": SECRET}}}
    database = {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "t"}
    spec: dict[str, Any] = {
        "source": {"firestore": source},
        "fields": [{"name": "id", "path": "__id__", "type": "text"}],
        "keys": [{"fields": ["id"]}],
        "destination": {"sql": database},
        **({"incremental": {"cursor": incremental}} if incremental else {}),
        **whole,
    }
    return SyncSourceSpec.model_validate(spec)


def opened(
    server: Firestore, incremental: str | None = None, *, cancelled: threading.Event | None = None, key_file: str | None = None, **more: Any
) -> Source:
    """A source on the server: whole documents and one try of each request, unless the options say otherwise."""
    cancelled = cancelled or threading.Event()
    spec = spec_of(server, incremental, **{"fieldMask": False, **more})
    secrets = {SECRET: {"serviceAccount.json": server.account.file() if key_file is None else key_file}} if server.account else {}
    source = open_source(spec, secrets, hosts=local_hosts(cancelled), cancelled=cancelled)
    server.readers.callback(source.close)
    return source


def client_of(server: Firestore, charge: Callable[[int], None] = lambda reads: None, largest: int = LARGEST, **more: Any) -> Client:
    """A client that holds no larger answers than these."""
    declared, cancelled = spec_of(server, **more).source.firestore, threading.Event()
    assert declared is not None
    client = Client(declared, None, Redaction([]), hosts=local_hosts(cancelled), cancelled=cancelled, charge=charge, largest=largest)
    server.readers.callback(client.close)
    return client


def bounded(server: Firestore, *, largest: int = LARGEST, comfortable: int = COMFORTABLE, **more: Any) -> Source:
    """A source that holds no larger answers than these."""
    declared = spec_of(server, **more).source.firestore
    assert declared is not None
    return FirestoreSource(declared, None, None, lambda charge: client_of(server, charge, largest, **more), comfortable)


def read(source: Source, **part: Any) -> list[Any]:
    """All records of a slice."""
    return [record for page in source.pages(Slice(**part)) for record in page.records]


def ids(records: list[Any]) -> list[str]:
    """The documents' ids."""
    return [record["__id__"] for record in records]
