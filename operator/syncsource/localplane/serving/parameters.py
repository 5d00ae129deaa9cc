"""Query parameters and DeleteOptions as the options of a write, refused as `metav1.CreateOptions` and its like are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aiohttp import web

from syncsource.localplane import errors
from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.serving.requestinfo import is_true
from syncsource.localplane.writing.options import DeleteOptions, WriteOptions

MAX_MANAGER_BYTES = 128
_POLICIES = ("Foreground", "Background", "Orphan")
_VALIDATIONS = ("", "Ignore", "Strict", "Warn")
_KINDS = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}


def write_options(request: web.Request, subresource: str, *, applies: bool = False) -> WriteOptions:
    """Raises the 422 of a value that a parameter may not have."""
    query = request.query
    dry = query.getall("dryRun", [])
    _refuse(_KINDS[request.method], _write_causes(query, dry, is_patch=request.method == "PATCH", applies=applies))
    manager = query.get("fieldManager") or request.headers.get("User-Agent", "unknown").partition("/")[0][:MAX_MANAGER_BYTES] or "unknown"
    return WriteOptions(manager, bool(dry), is_true(query.get("force")), query.get("fieldValidation") or "Warn", subresource)


def _refuse(kind: str, causes: Iterable[Cause]) -> None:
    found = list(causes)
    if found:
        raise errors.invalid("meta.k8s.io", kind, "", found)


def _write_causes(query: Mapping[str, str], dry: Sequence[Any], *, is_patch: bool, applies: bool) -> Iterator[Cause]:
    manager, validation = query.get("fieldManager", ""), query.get("fieldValidation", "")
    if applies and not manager:
        yield cause.required("fieldManager", "is required for apply patch")
    if is_patch and not applies and "force" in query:
        yield cause.forbidden("force", "may not be specified for non-apply patch")
    if len(manager.encode()) > MAX_MANAGER_BYTES:
        yield cause.too_long("fieldManager", MAX_MANAGER_BYTES)
    for place, letter in enumerate(manager):
        if not letter.isprintable():
            yield cause.invalid(f"fieldManager[{place}]", ord(letter), "should not contain any non-printable character")
            break
    yield from _dry_run_causes(dry)
    if validation not in _VALIDATIONS:
        yield cause.not_supported("fieldValidation", validation, _VALIDATIONS)


def _dry_run_causes(dry: Sequence[Any]) -> Iterator[Cause]:
    if any(value != "All" for value in dry):
        yield cause.not_supported("dryRun", list(dry), ["All"])


def delete_options(query: Mapping[str, str], body: Any) -> DeleteOptions:
    """The body's options; the query's where there is no body. Raises the 400 or 422 of what they may not be."""
    given = _queried(query) if body is None else body
    _check_types(given)
    preconditions, policy, dry = given.get("preconditions") or {}, given.get("propagationPolicy") or "", given.get("dryRun") or []
    orphan, grace = given.get("orphanDependents"), given.get("gracePeriodSeconds")
    _refuse("DeleteOptions", _delete_causes(policy, orphan, dry))
    policy = policy or ("Orphan" if orphan else "Background")
    version = preconditions.get("resourceVersion") or ""
    return DeleteOptions(bool(dry), preconditions.get("uid") or "", version, policy, 1 if grace is not None and grace < 0 else grace)


def _queried(query: Mapping[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {name: query[name] for name in ("propagationPolicy",) if name in query}
    if "dryRun" in query:
        given["dryRun"] = [query["dryRun"]]
    if "orphanDependents" in query:
        given["orphanDependents"] = is_true(query["orphanDependents"])
    if text := query.get("gracePeriodSeconds"):
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            raise errors.bad_request(f"strconv.ParseInt: parsing {cause.quoted(text)}: invalid syntax")
        given["gracePeriodSeconds"] = int(text)
    return given


_TYPES: tuple[tuple[str, type, str], ...] = (
    ("gracePeriodSeconds", int, "int64"), ("preconditions", dict, "v1.Preconditions"), ("orphanDependents", bool, "bool"),
    ("propagationPolicy", str, "v1.DeletionPropagation"), ("dryRun", list, "[]string"),
)  # fmt: skip


def _check_types(body: Any) -> None:
    if not isinstance(body, dict):
        wanted = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        raise errors.bad_request(f"couldn't get version/kind; json parse error: {_wrong(body, 'value', wanted)}")
    if body.get("kind") not in (None, "", "DeleteOptions"):
        raise errors.bad_request(f'no kind "{body["kind"]}" is registered for version "{body.get("apiVersion", "")}"')
    for name, kind, wanted in _TYPES:
        value = body.get(name)
        if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise errors.bad_request(_wrong(value, f"struct field DeleteOptions.{name}", wanted))
    for name, value in (body.get("preconditions") or {}).items():
        if value is not None and not isinstance(value, str):
            raise errors.bad_request(_wrong(value, f"struct field Preconditions.preconditions.{name}", "string"))
    for value in body.get("dryRun") or []:
        if not isinstance(value, str):
            raise errors.bad_request(_wrong(value, "struct field DeleteOptions.dryRun", "string"))


def _wrong(value: Any, place: str, wanted: str) -> str:
    names = ((bool, "bool"), (int, "number"), (float, "number"), (str, "string"), (list, "array"), (dict, "object"))
    got = next((name for kind, name in names if isinstance(value, kind)), "null")
    return f"json: cannot unmarshal {got} into Go {place} of type {wanted}"


def _delete_causes(policy: str, orphan: Any, dry: Sequence[Any]) -> Iterator[Cause]:
    if policy and orphan is not None:
        yield cause.invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set")
    if policy and policy not in _POLICIES:
        yield cause.not_supported("propagationPolicy", policy, [*_POLICIES, "nil"])
    yield from _dry_run_causes(dry)
