"""Lists: selection, pages, and the version that a watch may go on from."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from syncsource.localplane import errors
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.serving.selectors import Selector
from syncsource.localplane.storage.encoding import decode, encode
from syncsource.localplane.storage.store import Store, Stored
from syncsource.localplane.writing import views

_BATCH = 500


@dataclass(slots=True)
class Page:
    """Some of a list; `metadata` is the list's own."""

    items: list[bytes] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)

    def objects(self) -> Iterator[dict[str, Any]]:
        return (decode(item) for item in self.items)

    def body(self, resource: Resource) -> bytes:
        head = f'{{"apiVersion":"{resource.api_version}","items":['.encode()
        return b"".join((head, b",".join(self.items), f'],"kind":"{resource.list_kind}","metadata":'.encode(), encode(self.metadata), b"}"))


def list_page(store: Store, resource: Resource, namespace: str, selector: Selector, limit: int, token: str) -> Page:
    """One page. All pages of a list carry the version of its first, so that a watch from there misses nothing in between."""
    version, after = _read_token(token) if token else (store.version, ("", ""))
    page = Page(metadata={"resourceVersion": str(version)})
    for stored in _after(store, resource.storage, namespace, after):
        item = shown(resource, stored.body, selector)
        if item is None:
            continue
        if limit and len(page.items) == limit:
            page.metadata["continue"] = _token(version, after)
            if selector.is_empty:
                page.metadata["remainingItemCount"] = store.count(resource.storage, namespace, after)
            break
        page.items.append(item)
        after = (stored.key.namespace, stored.key.name)
    return page


def shown(resource: Resource, body: bytes, selector: Selector) -> bytes | None:
    """The object in the resource's version, None where it is not selected."""
    is_own = not resource.renames and body.startswith(f'{{"apiVersion":"{resource.api_version}",'.encode())
    if selector.is_empty and is_own:
        return body
    obj = decode(body)
    if not selector.matches(obj):
        return None
    return body if is_own else encode(views.outgoing(resource, obj))


def _after(store: Store, resource: str, namespace: str, after: tuple[str, str]) -> Iterator[Stored]:
    while True:
        batch = store.objects(resource, namespace, after, _BATCH)
        yield from batch
        if len(batch) < _BATCH:
            return
        after = (batch[-1].key.namespace, batch[-1].key.name)


def _token(version: int, after: tuple[str, str]) -> str:
    value = {"v": "meta.k8s.io/v1", "rv": version, "start": "\0".join(after)}
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, tuple[str, str]]:
    try:
        value = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        namespace, _, name = value["start"].partition("\0")
        return int(value["rv"]), (namespace, name)
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise errors.bad_request("continue key is not valid") from wrong
