"""URLs: how they are put together (RFC 3986), and which may be followed."""

from __future__ import annotations

import httpx

from syncsource.errors import PermanentError, StalledError, outside_text
from syncsource.resource.conditions import INVALID_SPEC
from syncsource.sources.rest.reasons import UNSENDABLE


def base_url(text: str, field: str = "spec.source.http.baseURL") -> httpx.URL:
    """A URL of the spec. Raises StalledError (InvalidSpec) where it is none, or holds credentials."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise StalledError(f"{field} is not a URL: {error}", reason=INVALID_SPEC) from None
    if url.userinfo or not url.host:
        raise StalledError(
            f"{field} must name a host and no user or password; put credentials into a Secret and name it in spec.source.http.auth",
            reason=INVALID_SPEC,
        )
    return url.copy_with(fragment=None)


def merged(url: httpx.URL, parameters: dict[str, str]) -> httpx.URL:
    """The URL with these query parameters set. Raises PermanentError (Unsendable) where no URL is that long."""
    try:
        return url.copy_merge_params(parameters) if parameters else url
    except httpx.InvalidURL:
        longest = max(parameters, key=lambda name: len(parameters[name]))
        raise PermanentError(
            f"spec.source.http: {outside_text(longest, 60)} has {len(parameters[longest]):,} characters, which is too long for a URL; "
            "set sendIn: Body, if the upstream takes it there",
            reason=UNSENDABLE,
        ) from None


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port (None: the scheme's own), RFC 6454."""
    return url.scheme, url.host, url.port


def port(url: httpx.URL) -> int:
    """The port, be it the scheme's own."""
    return url.port or (443 if url.scheme == "https" else 80)


def resolve(current: httpx.URL, target: str, base: httpx.URL) -> httpx.URL | None:
    """What ``target`` means on the page ``current``; None where it leaves the origin of ``base`` or is no URL.

    An http URL of the same host counts as https where baseURL is https: upstreams behind a proxy that ends TLS write such.
    """
    try:
        url = current.join(target.strip()).copy_with(username=None, password=None, fragment=None)
        _ = url.host
    except (httpx.InvalidURL, UnicodeError):  # the latter for names that IDNA excludes
        return None
    if (url.scheme, url.host, url.port, base.scheme, base.port) == ("http", base.host, None, "https", None):
        url = url.copy_with(scheme="https")
    return url if origin(url) == origin(base) else None
