"""A source from ``spec.source``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import httpx

from syncsource.resource.source import Source as SourceSpec
from syncsource.resource.spec import Incremental
from syncsource.sources.base import Source
from syncsource.sources.rest.source import RestSource


def open_source(
    source: SourceSpec,
    incremental: Incremental | None,
    secrets: Mapping[str, Mapping[str, str]],
    *,
    permit: Callable[[str], None],
    cancelled: threading.Event,
) -> Source:
    """The source that a spec declares. Nothing is sent before its first page is asked for.

    ``secrets``: name → key → value. ``permit`` is called with the upstream's host before every request and returns when
    the rate limit allows it. ``cancelled``, once set, ends every wait with AbortedError (Cancelled).

    Raises StalledError: SecretNotFound, SecretInvalid, InvalidSpec.
    """
    return RestSource.open(source.http, incremental, secrets, permit=permit, cancelled=cancelled)


def upstream_host(source: SourceSpec) -> str:
    """The host that ``permit`` is called with: of baseURL, in lower case, without its port."""
    return httpx.URL(source.http.base_url).host
