"""Query parameters and DeleteOptions as the options of a write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from syncsource.localplane import errors
from syncsource.localplane.serving.requestinfo import is_true
from syncsource.localplane.writing.options import DeleteOptions, WriteOptions

_POLICIES = ("Background", "Foreground", "Orphan")


def write_options(request: web.Request, subresource: str) -> WriteOptions:
    """Raises the 400 of a value that a parameter may not have."""
    query = request.query
    validation = query.get("fieldValidation") or "Warn"
    if validation not in {"Strict", "Warn", "Ignore"}:
        raise errors.bad_request(f"invalid value for fieldValidation: {validation!r}")
    manager = query.get("fieldManager") or request.headers.get("User-Agent", "unknown").partition("/")[0] or "unknown"
    if len(manager) > 128:
        raise errors.bad_request("fieldManager must have at most 128 characters")
    return WriteOptions(manager, dry_run(query.getall("dryRun", [])), is_true(query.get("force")), validation, subresource)


def dry_run(values: list[str]) -> bool:
    if any(value != "All" for value in values if value):
        raise errors.bad_request(f"invalid value for dryRun: {values!r}: only All is supported")
    return any(values)


def delete_options(query: Mapping[str, str], body: Any) -> DeleteOptions:
    """The body's options, completed by the query's."""
    if not isinstance(body, dict):
        raise errors.bad_request("DeleteOptions must be an object")
    preconditions = body.get("preconditions") or {}
    policy = body.get("propagationPolicy") or query.get("propagationPolicy") or _legacy_policy(body, query)
    if policy not in _POLICIES:
        raise errors.bad_request(f"invalid value for propagationPolicy: {policy!r}")
    dry = dry_run([*(body.get("dryRun") or []), query.get("dryRun", "")])
    return DeleteOptions(dry, preconditions.get("uid") or "", preconditions.get("resourceVersion") or "", policy, _grace(body, query))


def _grace(body: Mapping[str, Any], query: Mapping[str, str]) -> int | None:
    """A negative one is a second, as Kubernetes has it."""
    given = body.get("gracePeriodSeconds")
    if given is None and query.get("gracePeriodSeconds"):
        text = query["gracePeriodSeconds"]
        given = int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else text
    if given is not None and (not isinstance(given, int) or isinstance(given, bool)):
        raise errors.bad_request(f"invalid value for gracePeriodSeconds: {given!r}: must be a whole number of seconds")
    return given if given is None or given >= 0 else 1


def _legacy_policy(body: Mapping[str, Any], query: Mapping[str, str]) -> str:
    orphan = body.get("orphanDependents")
    return "Orphan" if orphan or (orphan is None and query.get("orphanDependents") == "true") else "Background"


def integer(query: Mapping[str, str], name: str, default: int = 0) -> int:
    """Raises the 400 of what is no whole number."""
    text = query.get(name) or ""
    if text and not text.isdigit():
        raise errors.bad_request(f"{name}: Invalid value: {text!r}: must be a non-negative integer")
    return int(text) if text else default
