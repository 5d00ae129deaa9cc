"""Lists: selection, pages, and the version that a watch may go on from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from syncsource.localplane import errors
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.serving.listoptions import ListOptions
from syncsource.localplane.serving.selectors import Selector
from syncsource.localplane.serving.tokens import LATEST, Place, make_token, read_token, too_old
from syncsource.localplane.storage.encoding import decode, encode
from syncsource.localplane.storage.snapshot import Snapshot
from syncsource.localplane.storage.store import Store, Stored
from syncsource.localplane.writing import views

_BATCH = 500
_IN_METADATA = frozenset({"metadata.name", "metadata.namespace"})


class _Metadata(msgspec.Struct):
    name: str = ""
    namespace: str = ""
    labels: dict[str, str] | None = None


class _Head(msgspec.Struct):
    metadata: _Metadata


_head = msgspec.json.Decoder(_Head)


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


def list_page(store: Store, resource: Resource, namespace: str, selector: Selector, options: ListOptions | None = None) -> Page:
    """One page, all where no limit is set. Every page of a list is of the version of its first, whatever is written in between.

    Raises the 410 of a version before the history, the 504 of one that is yet to come.
    """
    options = options or ListOptions()
    version, after = _place(store, resource, namespace, options)
    snapshot = Snapshot(store, resource.storage, namespace, version)
    metadata = {"continue": ""} if resource.is_custom else {}
    page = Page(metadata={**metadata, "resourceVersion": str(version)})
    for stored in _candidates(snapshot, resource, namespace, selector, after, options.limit):
        if options.limit and len(page.items) == options.limit:
            page.metadata["continue"] = make_token(version, namespace, after)
            if selector.is_empty:
                page.metadata["remainingItemCount"] = snapshot.count(after)
            break
        item = shown(resource, stored.body, stored.version, selector)
        if item is not None:
            page.items.append(item)
        after = (stored.key.namespace, stored.key.name)
    return page


def _candidates(snapshot: Snapshot, resource: Resource, namespace: str, selector: Selector, after: Place, limit: int) -> Iterator[Stored]:
    """What may be selected: one object where its name is."""
    name = next((value for path, value, wanted in selector.fields if path == "metadata.name" and wanted), "")
    if name and (namespace or not resource.namespaced):
        place = (namespace, name)
        return snapshot.one(place) if place > after else iter(())
    return snapshot.objects(after, limit + 1 if limit and selector.is_empty else _BATCH)


def _place(store: Store, resource: Resource, namespace: str, options: ListOptions) -> tuple[int, Place]:
    """The version to show, and the place that the page begins behind."""
    after, version = ("", ""), options.version or 0
    if options.token:
        version, after = read_token(options.token, namespace, namespaced=resource.namespaced)
    if version > store.version:
        raise errors.too_large_version(version, store.version)
    if version == LATEST or not (options.token or options.is_exact):
        return store.version, after
    if version < store.history.compacted:
        raise too_old(namespace, after) if options.token else errors.expired("The resourceVersion for the provided list is too old.")
    return version, after


def shown(resource: Resource, body: bytes, version: int, selector: Selector) -> bytes | None:
    """What was stored as `version`, in the resource's version; None where it is not selected."""
    is_own = not resource.renames and body.startswith(f'{{"apiVersion":"{resource.api_version}",'.encode())
    if resource.stored_form is not None and (not is_own or version <= resource.stored_form.since):
        custom = views.from_stored(resource, decode(body), version)
        return encode(custom) if selector.matches(custom) else None
    if not is_own:
        obj = decode(body)
        return encode(views.outgoing(resource, obj)) if selector.matches(obj) else None
    return body if selector.is_empty or selector.matches(_selectable(body, selector)) else None


def _selectable(body: bytes, selector: Selector) -> dict[str, Any]:
    """As much of an object as the selector looks at."""
    if any(path not in _IN_METADATA for path, _, _ in selector.fields):
        whole: dict[str, Any] = decode(body)
        return whole
    metadata = _head.decode(body).metadata
    return {"metadata": {"name": metadata.name, "namespace": metadata.namespace, "labels": metadata.labels}}
