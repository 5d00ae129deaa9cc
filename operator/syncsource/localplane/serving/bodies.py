"""Request bodies and answers: JSON and YAML, sizes, media types, gzip."""

from __future__ import annotations

import gzip
from typing import Any

import yaml
from aiohttp import web

from syncsource.localplane import errors
from syncsource.localplane.serving.decoding import YAML, Decoded, Unreadable, decode_body, summary
from syncsource.localplane.serving.negotiation import chosen
from syncsource.localplane.serving.protobuf import MEDIA_TYPE
from syncsource.localplane.storage.encoding import decode, encode_ordered

MAX_BODY = 3 * 1024 * 1024
GZIP_FROM = 128 * 1024
GZIP_LEVEL = 1
_ACCEPTED = ("application/json", "application/yaml", MEDIA_TYPE)


async def read_body(request: web.Request) -> bytes:
    """Raises the 413 of a body over MAX_BODY."""
    if request.content_length is not None and request.content_length > MAX_BODY:
        raise errors.too_large(MAX_BODY)
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as wrong:
        raise errors.too_large(MAX_BODY) from wrong


def media_type(request: web.Request) -> str:
    return request.headers.get("Content-Type", "application/json").partition(";")[0].strip().lower()


async def read_object(request: web.Request, *, optional: bool = False, kind: str = "") -> Any:
    """The value of the body, None where an `optional` one is not there. Raises the 400, 413 or 415 that it deserves, which names the `kind`."""
    return (await read_decoded(request, optional=optional, kind=kind)).value


async def read_decoded(request: web.Request, *, optional: bool = False, kind: str = "") -> Decoded:
    body = await read_body(request)
    if optional and not body.strip():
        return Decoded(None)
    given = media_type(request) or _ACCEPTED[0]
    if given not in _ACCEPTED:
        raise errors.unsupported_media_type(_ACCEPTED)
    try:
        return decode_body(body, given)
    except Unreadable as wrong:
        why = str(wrong) if given != _ACCEPTED[0] or optional else f"couldn't get version/kind; json parse error: {wrong}"
        if optional:
            raise errors.bad_request(f"couldn't get version/kind; json parse error: {wrong}") from wrong
        awaited = f" (must be of type {kind})" if kind else ""
        raise errors.bad_request(f"the object provided is unrecognized{awaited}: {why} ({summary(body)})") from wrong


def parse_patch(body: bytes, kind: str) -> Decoded:
    """Raises the 400 of a patch that can't be read."""
    try:
        return decode_body(body, kind)
    except Unreadable as wrong:
        where = "error decoding YAML: error converting YAML to JSON" if kind in YAML else "error decoding patch"
        raise errors.bad_request(f"{where}: {wrong}") from wrong


def answer(value: Any, request: web.Request, *, code: int = 200, kind: str = "application/json") -> web.Response:
    """`value`, an object or its JSON, as the client wishes to have it."""
    body = value if isinstance(value, bytes) else encode_ordered(value)
    accept = request.headers.get("Accept", "")
    if kind == "application/json" and accept.startswith("application/yaml"):
        body, kind = yaml.safe_dump(decode(body), sort_keys=True, allow_unicode=True).encode(), "application/yaml"
    headers = {"Content-Type": kind, "Cache-Control": "no-cache, private"}
    if len(body) >= GZIP_FROM and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = gzip.compress(body, GZIP_LEVEL, mtime=0)
        headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return web.Response(body=body, status=code, headers=headers)


def table_options(request: web.Request) -> str | None:
    """`includeObject` where the client asks for a Table, None where it does not."""
    wanted = chosen(request)
    if "as=Table" not in wanted:
        return None
    return request.query.get("includeObject", "Metadata")


def wants_metadata_only(request: web.Request) -> str | None:
    """`PartialObjectMetadata` or its list, where the client asks for that."""
    wanted = chosen(request)
    return next((part.removeprefix("as=") for part in wanted.split(";") if part.startswith("as=PartialObjectMetadata")), None)


def warning_header(text: str) -> str:
    """A warning as the header says it (RFC 7234)."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{quoted}"'
