"""Validation of `metadata` (`k8s.io/apimachinery/pkg/api/validation`), the same for every kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause

MAX_ANNOTATIONS_BYTES = 256 * 1024
_OWNER_FIELDS = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_NAME = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    rf"'{_SUBDOMAIN}')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_QUALIFIED_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    f"(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_NAME}')"
)
_KEY_TEXT = (
    "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    f"(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_NAME}') with an optional DNS subdomain prefix and '/' "
    "(e.g. 'example.com/MyName')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def dns_subdomain(name: str) -> Iterator[str]:
    if len(name) > 253:
        yield "must be no more than 253 characters"
    if not re.fullmatch(_SUBDOMAIN, name):
        yield _SUBDOMAIN_TEXT


def dns_label(name: str) -> Iterator[str]:
    if len(name) > 63:
        yield "must be no more than 63 characters"
    if not re.fullmatch(_LABEL, name):
        yield _LABEL_TEXT


def dns_1035_label(name: str) -> Iterator[str]:
    """What Services, kinds and versions may be called."""
    if len(name) > 63:
        yield "must be no more than 63 characters"
    if not re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name):
        yield (
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with "
            "an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
        )


def path_segment(name: str) -> Iterator[str]:
    """What RBAC objects may be called."""
    if name in {".", ".."}:
        yield f"may not be '{name}'"
    yield from (f"may not contain '{letter}'" for letter in "/%" if letter in name)


def qualified_name(name: str) -> Iterator[str]:
    prefix, slash, rest = name.partition("/")
    if "/" in rest:
        yield _KEY_TEXT
        return
    prefix, rest = (prefix, rest) if slash else ("", name)
    if slash and not prefix:
        yield "prefix part must be non-empty"
    elif slash:
        yield from (f"prefix part {message.replace('253 characters', '253 bytes')}" for message in dns_subdomain(prefix))
    if not rest:
        yield "name part must be non-empty"
    elif len(rest) > 63:
        yield "name part must be no more than 63 bytes"
    if not re.fullmatch(_NAME, rest):
        yield _QUALIFIED_TEXT


def label_value(value: str) -> Iterator[str]:
    if len(value) > 63:
        yield "must be no more than 63 bytes"
    if value and not re.fullmatch(_NAME, value):
        yield _VALUE_TEXT


def validate_metadata(metadata: Any, check_name: Callable[[str], Iterator[str]] = dns_subdomain) -> Iterator[Cause]:
    """The causes of everything in `metadata` that an API server would refuse."""
    if not isinstance(metadata, dict):
        yield cause.type_invalid("metadata", str(type(metadata).__name__), "metadata in body must be of type object")
        return
    yield from _name(metadata, check_name)
    yield from label_causes(metadata.get("labels") or {}, "metadata.labels")
    yield from annotation_causes(metadata.get("annotations") or {}, "metadata.annotations")
    yield from _owners(metadata.get("ownerReferences") or [])
    yield from _finalizers(metadata.get("finalizers") or [])


def _name(metadata: dict[str, Any], check_name: Callable[[str], Iterator[str]]) -> Iterator[Cause]:
    name, start = metadata.get("name"), metadata.get("generateName")
    if start:
        yield from (cause.invalid("metadata.generateName", start, text) for text in check_name(_without_dash(start)))
    if not name:
        yield cause.required("metadata.name", "name or generateName is required")
    else:
        yield from (cause.invalid("metadata.name", name, text) for text in check_name(name))


def label_causes(labels: dict[str, Any], path: str) -> Iterator[Cause]:
    for key, value in labels.items():
        yield from (cause.invalid(path, key, text) for text in qualified_name(key))
        yield from (cause.invalid(path, value, text) for text in label_value(value))


def annotation_causes(annotations: dict[str, Any], path: str) -> Iterator[Cause]:
    for key in annotations:
        yield from (cause.invalid(path, key, text) for text in qualified_name(key.lower()))
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > MAX_ANNOTATIONS_BYTES:
        yield cause.too_long(path, MAX_ANNOTATIONS_BYTES)


def _without_dash(start: str) -> str:
    """A beginning may end in a dash: what follows it is no dash."""
    return f"{start[:-2]}a" if len(start) > 1 and start.endswith("-") else start


def _finalizers(finalizers: list[str]) -> Iterator[Cause]:
    for finalizer in finalizers:
        yield from (cause.invalid("metadata.finalizers", finalizer, text) for text in qualified_name(finalizer))
    if {"orphan", "foregroundDeletion"} <= set(finalizers):
        yield cause.invalid("metadata.finalizers", finalizers, "finalizer orphan and foregroundDeletion cannot be both set")


def _owners(owners: list[dict[str, Any]]) -> Iterator[Cause]:
    path, first = "metadata.ownerReferences", ""
    for owner in owners:
        yield from _owner(owner, path)
        if not owner.get("controller"):
            continue
        named = f"{owner.get('kind', '')}/{owner.get('name', '')}"
        if first:
            why = f'Only one reference can have Controller set to true. Found "true" in references for {first} and {named}'
            yield cause.invalid(path, [_shown_owner(each) for each in owners], why)
        first = first or named


def _owner(owner: dict[str, Any], path: str) -> Iterator[Cause]:
    version = owner.get("apiVersion", "")
    if not version or version.count("/") > 1 or version.endswith("/"):
        yield cause.invalid(f"{path}.apiVersion", version, "version must not be empty")
    for name in ("kind", "name", "uid"):
        if not owner.get(name):
            yield cause.invalid(f"{path}.{name}", "", "must not be empty")
    if (version, owner.get("kind")) == ("v1", "Event"):
        yield cause.invalid(path, _shown_owner(owner), "/v1, Kind=Event is disallowed from being an owner")


def _shown_owner(owner: dict[str, Any]) -> cause.InOrder:
    return cause.InOrder((name, owner[name]) for name in _OWNER_FIELDS if name in owner)
