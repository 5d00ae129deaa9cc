"""Validation of `metadata` (`k8s.io/apimachinery/pkg/api/validation`), the same for every kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause

MAX_ANNOTATIONS_BYTES = 256 * 1024

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
    prefix, slash, rest = name.rpartition("/")
    if slash and not prefix:
        yield "prefix part must be non-empty"
    elif slash:
        yield from (f"prefix part {message}" for message in dns_subdomain(prefix))
    if not rest:
        yield "name part must be non-empty"
    elif len(rest) > 63:
        yield "name part must be no more than 63 characters"
    if not re.fullmatch(_NAME, rest):
        yield _QUALIFIED_TEXT


def label_value(value: str) -> Iterator[str]:
    if len(value) > 63:
        yield "must be no more than 63 characters"
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
    for index, finalizer in enumerate(metadata.get("finalizers") or []):
        yield from (cause.invalid(f"metadata.finalizers[{index}]", finalizer, text) for text in qualified_name(finalizer))
    yield from _owners(metadata.get("ownerReferences") or [])


def _name(metadata: dict[str, Any], check_name: Callable[[str], Iterator[str]]) -> Iterator[Cause]:
    name = metadata.get("name")
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


def _owners(owners: list[dict[str, Any]]) -> Iterator[Cause]:
    controllers = [owner for owner in owners if owner.get("controller")]
    for index, owner in enumerate(owners):
        for name in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(name):
                yield cause.invalid(f"metadata.ownerReferences[{index}].{name}", "", f"{name} must not be empty")
    if len(controllers) > 1:
        detail = "Only one reference can have Controller set to true"
        yield cause.invalid("metadata.ownerReferences", cause.OMITTED, detail)
