"""Request bodies and answers: JSON and YAML, sizes, media types, gzip."""

from __future__ import annotations

import gzip
from typing import Any

import yaml
from aiohttp import web

from syncsource.localplane import errors
from syncsource.localplane.serving.protobuf import MEDIA_TYPE, decode_protobuf
from syncsource.localplane.storage.encoding import decode, encode_ordered

MAX_BODY = 3 * 1024 * 1024
MAX_DEPTH = 100
GZIP_FROM = 128 * 1024
GZIP_LEVEL = 1
_YAML = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "application/apply-patch+yaml"})
_ACCEPTED = ("application/json", "application/yaml", MEDIA_TYPE)


class _StringTimes(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as Kubernetes reads it: what looks like a date is text, and a mapping's keys are text."""


_StringTimes.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in _StringTimes.yaml_implicit_resolvers.items()
}


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


async def read_object(request: web.Request, *, optional: bool = False) -> Any:
    """The JSON or YAML value of the body; raises the 400, 413 or 415 that it deserves."""
    body = await read_body(request)
    if optional and not body.strip():
        return {}
    kind = media_type(request)
    if kind not in _ACCEPTED and kind not in _YAML:
        raise errors.unsupported_media_type(_ACCEPTED)
    return parse(body, kind)


def parse(body: bytes, kind: str) -> Any:
    try:
        value = _decode(body, kind)
        _check_depth(value)
    except (ValueError, yaml.YAMLError, RecursionError) as wrong:
        raise errors.bad_request(f"the object provided is unrecognized: couldn't parse the body: {str(wrong)[:200]}") from wrong
    return value


def _decode(body: bytes, kind: str) -> Any:
    if kind == MEDIA_TYPE:
        return decode_protobuf(body)
    return yaml.load(body, Loader=_StringTimes) if kind in _YAML else decode(body)


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [below for item in level if isinstance(item, dict | list) for below in _below(item)]
        if not level:
            return
    raise ValueError(f"nested more than {MAX_DEPTH} deep")


def _below(item: Any) -> list[Any]:
    if isinstance(item, list):
        return item
    if not all(isinstance(name, str) for name in item):
        raise ValueError("names of fields must be strings")
    return list(item.values())


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
    wanted = request.headers.get("Accept", "").partition(",")[0].replace(" ", "")
    if "as=Table" not in wanted:
        return None
    return request.query.get("includeObject", "Metadata")


def wants_metadata_only(request: web.Request) -> str | None:
    """`PartialObjectMetadata` or its list, where the client asks for that."""
    wanted = request.headers.get("Accept", "").partition(",")[0].replace(" ", "")
    return next((part.removeprefix("as=") for part in wanted.split(";") if part.startswith("as=PartialObjectMetadata")), None)
