"""One object on its way into the store: decode → default → prepare → own → validate. No I/O here."""

from __future__ import annotations

import copy
import datetime as dt
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from syncsource.localplane import errors
from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.admission.defaulting import apply_defaults, drop_nulls
from syncsource.localplane.admission.objectmeta import validate_metadata
from syncsource.localplane.admission.pruning import prune
from syncsource.localplane.admission.validation import same, validate
from syncsource.localplane.registry import definitions
from syncsource.localplane.registry.apitypes import api_type
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.writing import managedfields, metadatachecks
from syncsource.localplane.writing.native import bare_native, empty_native, read_metadata, read_native
from syncsource.localplane.writing.nativechecks import check_native
from syncsource.localplane.writing.options import WriteOptions
from syncsource.localplane.writing.strategies import CRD, GENERIC, STRATEGIES

Object = dict[str, Any]
_NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_KEPT = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink")


def now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Result:
    """The object as stored (or as it would be), whether anything changed, and warnings for the client."""

    object: Object
    changed: bool = True
    warnings: tuple[str, ...] = ()


def check_type(resource: Resource, obj: Any, namespace: str) -> Object:
    """`obj` as an object of this resource and namespace; raises the 400 that says why it is none."""
    if not isinstance(obj, dict):
        raise errors.bad_request(f"cannot unmarshal {type(obj).__name__} into an object")
    given = obj.setdefault("apiVersion", resource.api_version)
    if given != resource.api_version:
        raise errors.bad_request(f"the API version in the data ({given}) does not match the expected API version ({resource.api_version})")
    if obj.setdefault("kind", resource.kind) != resource.kind:
        raise errors.bad_request(f"the object provided is unrecognized: kind {obj['kind']!r} is not {resource.kind!r}")
    metadata = obj.get("metadata")
    if metadata is None:
        metadata = obj["metadata"] = {}
    if not isinstance(metadata, dict):
        _read_metadata(resource, obj)
    _check_namespace(resource, metadata, namespace)
    return obj


def _check_namespace(resource: Resource, metadata: Object, namespace: str) -> None:
    if not resource.namespaced:
        metadata.pop("namespace", None)
    elif not isinstance(metadata.get("namespace") or "", str):
        return
    elif metadata.get("namespace") not in (None, "", namespace):
        raise errors.bad_request("the namespace of the provided object does not match the namespace sent on the request")
    else:
        metadata["namespace"] = namespace


def decode(resource: Resource, obj: Object, options: WriteOptions, *, defaults: bool = True, applied: bool = False) -> tuple[str, ...]:
    """Prune and default in place; unknown fields are an error, warnings or nothing, as the client wishes.

    A null that may not be counts as left out, but not where it was `applied`: there it is refused.
    """
    if resource.type_name:
        warnings = _decode_native(resource, obj, options, complete=defaults)
        return (*warnings, *metadatachecks.distinct_owners(obj["metadata"]))
    unknown = prune(obj, resource.rules.schema, is_resource=True)
    if resource.is_custom and not applied:
        drop_nulls(obj, resource.rules.schema)
    unknown += _read_metadata(resource, obj)
    if resource.storage == CRD and next(validate(obj, resource.rules.schema), None) is None:
        wrong_shape = definitions.decoding_error(obj)
        if wrong_shape:
            raise errors.bad_request(
                f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {wrong_shape}'
            )
        unknown += definitions.unknown_fields(obj)
    if defaults:
        apply_defaults(obj, resource.rules.schema)
    return (*_unknown_fields(resource, unknown, options), *metadatachecks.distinct_owners(obj["metadata"]))


def _decode_native(resource: Resource, obj: Object, options: WriteOptions, *, complete: bool) -> tuple[str, ...]:
    try:
        unknown = read_native(resource.type_name, obj, complete=complete)
    except ValueError as wrong:
        raise _unhandled(resource, wrong) from wrong
    return _unknown_fields(resource, unknown, options)


def _read_metadata(resource: Resource, obj: Object) -> list[str]:
    try:
        return read_metadata(obj, alone=resource.is_custom)
    except ValueError as wrong:
        raise _unhandled(resource, wrong) from wrong


def _unhandled(resource: Resource, wrong: ValueError) -> errors.APIError:
    why = str(wrong)[:1000]
    return errors.bad_request(f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {why}')


def _unknown_fields(resource: Resource, unknown: list[str], options: WriteOptions) -> tuple[str, ...]:
    wrong = [*options.duplicates, *(f'unknown field "{path}"' for path in unknown)]
    if wrong and options.validation == "Strict":
        raise errors.bad_request(
            f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: '
            f"strict decoding error: {', '.join(wrong)}"
        )
    return tuple(wrong) if options.validation == "Warn" else ()


def unwritten(resource: Resource, obj: Object) -> Object:
    """What a new object is compared with, to tell what its creator has set."""
    bare = bare_native(resource.type_name, obj) if resource.type_name else {}
    return {**bare, "apiVersion": obj["apiVersion"], "kind": obj["kind"]}


def prepare_create(resource: Resource, obj: Object) -> None:
    """The system's fields of a new object."""
    metadata = obj["metadata"]
    if metadata.pop("resourceVersion", ""):
        raise errors.bad_request("resourceVersion should not be set on objects to be created")
    for name in _KEPT:
        metadata.pop(name, None)
    if not metadata.get("name") and metadata.get("generateName"):
        suffix = "".join(secrets.choice(_NAME_LETTERS) for _ in range(5))
        metadata["name"] = metadata["generateName"][:58] + suffix
    metadata.update(uid=str(uuid.uuid4()), creationTimestamp=now())
    if resource.has_generation:
        metadata["generation"] = 1
    if resource.has_status:
        obj.pop("status", None)
        if resource.type_name:
            obj["status"] = empty_native(api_type(resource.type_name).fields["status"].base)
    _prepare(resource, obj, None)


def prepare_update(resource: Resource, obj: Object, old: Object, subresource: str) -> Object:
    """What an update may change: the status and nothing else, or everything else."""
    if subresource == "status":
        managed = obj["metadata"].get("managedFields")
        obj = {**old, "metadata": dict(old["metadata"]), **({"status": obj["status"]} if "status" in obj else {})}
        if managed:
            obj["metadata"]["managedFields"] = managed
        return obj
    if resource.has_status:
        obj = {name: value for name, value in obj.items() if name != "status"}
        if "status" in old:
            obj["status"] = copy.deepcopy(old["status"])
    _keep_system_fields(obj["metadata"], old["metadata"])
    _prepare(resource, obj, old)
    if resource.has_generation and _spec_changed(resource, obj, old):
        obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
    return obj


def _prepare(resource: Resource, obj: Object, old: Object | None) -> None:
    """The kind's own completion, for objects of the right shape only: the others are about to be refused."""
    strategy = STRATEGIES.get(resource.storage)
    if strategy is not None and obj["metadata"].get("name") and (resource.type_name or _has_its_shape(resource, obj)):
        strategy.prepare(obj, old)


def _has_its_shape(resource: Resource, obj: Object) -> bool:
    return next(resource.rules.validate(obj), None) is None


def _keep_system_fields(metadata: Object, old: Object) -> None:
    for name in _KEPT:
        if name in old:
            metadata[name] = old[name]
        else:
            metadata.pop(name, None)


def _spec_changed(resource: Resource, obj: Object, old: Object) -> bool:
    hidden = {"metadata", "status"} if resource.has_status else {"metadata"}
    return not same(*({name: value for name, value in each.items() if name not in hidden} for each in (obj, old)))


def causes(resource: Resource, obj: Object, old: Object | None) -> Iterator[Cause]:
    """Everything that is wrong with the object as it would be stored."""
    if old is None:
        yield from validate_metadata(obj["metadata"], resource.check_name)
    else:
        yield from validate_metadata({**obj["metadata"], "name": old["metadata"]["name"]}, lambda _: iter(()))
        yield from _finalizers_while_deleting(obj["metadata"], old["metadata"])
    found = list(check_native(resource.type_name, obj) if resource.type_name else resource.rules.validate(obj, old))
    yield from found
    if not found or resource.type_name:
        yield from STRATEGIES.get(resource.storage, GENERIC).check(obj, old)


def _finalizers_while_deleting(metadata: Object, old: Object) -> Iterator[Cause]:
    added = [name for name in metadata.get("finalizers") or [] if name not in (old.get("finalizers") or [])]
    if old.get("deletionTimestamp") and added:
        detail = f"no new finalizers can be added if the object is being deleted, found new finalizers {added}"
        yield cause.forbidden("metadata.finalizers", detail)


def is_unchanged(obj: Object, old: Object) -> bool:
    """Whether storing `obj` would change nothing but times of ownership."""
    return same(_timeless(obj), _timeless(old))


def _timeless(obj: Object) -> Object:
    bare = managedfields.bare(obj)
    bare["metadata"].pop("resourceVersion", None)
    managed = [{**entry, "time": ""} for entry in obj["metadata"].get("managedFields") or []]
    return {**bare, "managed": managed}
