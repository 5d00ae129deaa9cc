"""Kubernetes' protobuf bodies, which kubectl's `create` commands send (`k8s.io/apimachinery/pkg/runtime/serializer/protobuf`).

Read only: answers are JSON, which every client takes. The field numbers are those of the `generated.proto` files; a field that
is not in the tables is an error, never dropped.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Fields = Mapping[int, tuple[str, Any]]

_TIME: Fields = {1: ("seconds", "int"), 2: ("nanos", "int")}
_OWNER: Fields = {
    1: ("kind", "text"), 3: ("name", "text"), 4: ("uid", "text"), 5: ("apiVersion", "text"), 6: ("controller", "bool"),
    7: ("blockOwnerDeletion", "bool"),
}  # fmt: skip
_META: Fields = {
    1: ("name", "text"), 2: ("generateName", "text"), 3: ("namespace", "text"), 4: ("selfLink", "text"), 5: ("uid", "text"),
    6: ("resourceVersion", "text"), 7: ("generation", "int"), 8: ("creationTimestamp", "time"), 9: ("deletionTimestamp", "time"),
    10: ("deletionGracePeriodSeconds", "int"), 11: ("labels", {"text": "text"}), 12: ("annotations", {"text": "text"}),
    13: ("ownerReferences", [_OWNER]), 14: ("finalizers", ["text"]),
}  # fmt: skip
_METADATA = ("metadata", _META)
_REFERENCE: Fields = {
    1: ("kind", "text"), 2: ("namespace", "text"), 3: ("name", "text"), 4: ("uid", "text"), 5: ("apiVersion", "text"),
    6: ("resourceVersion", "text"), 7: ("fieldPath", "text"),
}  # fmt: skip
_RULE: Fields = {
    1: ("verbs", ["text"]), 2: ("apiGroups", ["text"]), 3: ("resources", ["text"]), 4: ("resourceNames", ["text"]),
    5: ("nonResourceURLs", ["text"]),
}  # fmt: skip
_SUBJECT: Fields = {1: ("kind", "text"), 2: ("apiGroup", "text"), 3: ("name", "text"), 4: ("namespace", "text")}
_ROLE_REFERENCE: Fields = {1: ("apiGroup", "text"), 2: ("kind", "text"), 3: ("name", "text")}
_ROLE: Fields = {1: _METADATA, 2: ("rules", [_RULE])}
_BINDING: Fields = {1: _METADATA, 2: ("subjects", [_SUBJECT]), 3: ("roleRef", _ROLE_REFERENCE)}
_ACCESS: Fields = {
    1: ("namespace", "text"), 2: ("verb", "text"), 3: ("group", "text"), 4: ("version", "text"), 5: ("resource", "text"),
    6: ("subresource", "text"), 7: ("name", "text"),
}  # fmt: skip
_ACCESS_STATUS: Fields = {1: ("allowed", "bool"), 2: ("reason", "text"), 3: ("evaluationError", "text"), 4: ("denied", "bool")}
_PATH_ACCESS: Fields = {1: ("path", "text"), 2: ("verb", "text")}
_LEASE: Fields = {
    1: ("holderIdentity", "text"), 2: ("leaseDurationSeconds", "int"), 3: ("acquireTime", "micro"), 4: ("renewTime", "micro"),
    5: ("leaseTransitions", "int"), 6: ("strategy", "text"), 7: ("preferredHolder", "text"),
}  # fmt: skip
_EVENT: Fields = {
    1: _METADATA, 2: ("involvedObject", _REFERENCE), 3: ("reason", "text"), 4: ("message", "text"),
    5: ("source", {1: ("component", "text"), 2: ("host", "text")}), 6: ("firstTimestamp", "time"), 7: ("lastTimestamp", "time"),
    8: ("count", "int"), 9: ("type", "text"), 10: ("eventTime", "micro"),
    11: ("series", {1: ("count", "int"), 2: ("lastObservedTime", "micro")}), 12: ("action", "text"), 13: ("related", _REFERENCE),
    14: ("reportingComponent", "text"), 15: ("reportingInstance", "text"),
}  # fmt: skip

_RULES_STATUS: Fields = {
    1: ("resourceRules", [_RULE]), 2: ("nonResourceRules", [{1: ("verbs", ["text"]), 2: ("nonResourceURLs", ["text"])}]),
    3: ("incomplete", "bool"), 4: ("evaluationError", "text"),
}  # fmt: skip
_ACCESS_REVIEW: Fields = {
    1: _METADATA,
    2: ("spec", {1: ("resourceAttributes", _ACCESS), 2: ("nonResourceAttributes", _PATH_ACCESS), 3: ("user", "text"), 4: ("groups", ["text"]),
                 6: ("uid", "text")}),
    3: ("status", _ACCESS_STATUS),
}  # fmt: skip
_BOUND: Fields = {1: ("kind", "text"), 2: ("apiVersion", "text"), 3: ("name", "text"), 4: ("uid", "text")}
_USER: Fields = {1: ("username", "text"), 2: ("uid", "text"), 3: ("groups", ["text"])}

_KINDS: dict[str, Fields] = {
    "Namespace": {1: _METADATA, 2: ("spec", {1: ("finalizers", ["text"])}), 3: ("status", {1: ("phase", "text")})},
    "Secret": {1: _METADATA, 2: ("data", {"text": "bytes"}), 3: ("type", "text"), 4: ("stringData", {"text": "text"}), 5: ("immutable", "bool")},
    "ConfigMap": {1: _METADATA, 2: ("data", {"text": "text"}), 3: ("binaryData", {"text": "bytes"}), 4: ("immutable", "bool")},
    "ServiceAccount": {
        1: _METADATA, 2: ("secrets", [_REFERENCE]), 3: ("imagePullSecrets", [{1: ("name", "text")}]),
        4: ("automountServiceAccountToken", "bool"),
    },
    "Role": _ROLE,
    "ClusterRole": _ROLE,
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
    "Lease": {1: _METADATA, 2: ("spec", _LEASE)},
    "Event": _EVENT,
    "SelfSubjectAccessReview": {
        1: _METADATA, 2: ("spec", {1: ("resourceAttributes", _ACCESS), 2: ("nonResourceAttributes", _PATH_ACCESS)}),
        3: ("status", _ACCESS_STATUS),
    },
    "SelfSubjectRulesReview": {1: _METADATA, 2: ("spec", {1: ("namespace", "text")}), 3: ("status", _RULES_STATUS)},
    "SubjectAccessReview": _ACCESS_REVIEW,
    "LocalSubjectAccessReview": _ACCESS_REVIEW,
    "TokenReview": {1: _METADATA, 2: ("spec", {1: ("token", "text"), 2: ("audiences", ["text"])}), 3: ("status", {1: ("authenticated", "bool"), 2: ("user", _USER), 3: ("error", "text"), 4: ("audiences", ["text"])})},
    "TokenRequest": {
        1: _METADATA, 2: ("spec", {1: ("audiences", ["text"]), 3: ("boundObjectRef", _BOUND), 4: ("expirationSeconds", "int")}),
        3: ("status", {1: ("token", "text"), 2: ("expirationTimestamp", "time")}),
    },
    "SelfSubjectReview": {1: _METADATA, 2: ("status", {1: ("userInfo", _USER)})},
    "DeleteOptions": {
        1: ("gracePeriodSeconds", "int"), 2: ("preconditions", {1: ("uid", "text"), 2: ("resourceVersion", "text")}),
        3: ("orphanDependents", "bool"), 4: ("propagationPolicy", "text"), 5: ("dryRun", ["text"]),
    },
}  # fmt: skip
_UNKNOWN: Fields = {
    1: ("typeMeta", {1: ("apiVersion", "text"), 2: ("kind", "text")}), 2: ("raw", "raw"), 3: ("contentEncoding", "text"),
    4: ("contentType", "text"),
}  # fmt: skip


def decode_protobuf(body: bytes) -> dict[str, Any]:
    """The object in a protobuf body; raises ValueError for what can't be read and for kinds that are not in the tables."""
    if not body.startswith(_MAGIC):
        raise ValueError("the body is not in the Kubernetes protobuf format")
    envelope = _message(body[len(_MAGIC) :], _UNKNOWN)
    meta = envelope.get("typeMeta", {})
    if meta.get("kind") not in _KINDS:
        raise ValueError(f"no protobuf form of kind {meta.get('kind')!r} is known")
    return {**_pruned(_message(envelope.get("raw", b""), _KINDS[meta["kind"]])), **meta}


def _pruned(value: dict[str, Any]) -> dict[str, Any]:
    """Without what Go's encoder writes for fields that are empty: JSON leaves them out."""
    kept = {name: _pruned(item) if isinstance(item, dict) else item for name, item in value.items()}
    return {name: item for name, item in kept.items() if item not in ("", None, {}, [])}


def _message(data: bytes, fields: Fields) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, raw in _fields(data):
        if number not in fields:
            raise ValueError(f"unknown protobuf field {number}")
        name, kind = fields[number]
        if isinstance(kind, list):
            found.setdefault(name, []).append(_value(raw, kind[0]))
        elif isinstance(kind, dict) and "text" in kind:
            entry = _message(raw, {1: ("key", "text"), 2: ("value", kind["text"])})
            found.setdefault(name, {})[entry.get("key", "")] = entry.get("value", "")
        else:
            found[name] = _value(raw, kind)
    return found


def _value(raw: Any, kind: Any) -> Any:
    if isinstance(kind, Mapping):
        return _message(raw, kind)
    match kind:
        case "text":
            return raw.decode()
        case "bytes":
            return base64.b64encode(raw).decode()
        case "bool":
            return bool(raw)
        case "time" | "micro":
            return _instant(_message(raw, _TIME), kind)
    return raw


def _instant(value: dict[str, Any], kind: str) -> str | None:
    if not value.get("seconds"):
        return None
    moment = dt.datetime.fromtimestamp(value["seconds"], dt.UTC).replace(microsecond=value.get("nanos", 0) // 1000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if kind == "micro" else "%Y-%m-%dT%H:%M:%SZ")


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, position = _varint(data, position)
            yield number, value - (1 << 64) if value >= 1 << 63 else value
            continue
        length, position = _varint(data, position) if wire == _BYTES else ({_FIXED64: 8, _FIXED32: 4}.get(wire, -1), position)
        if length < 0 or position + length > len(data):
            raise ValueError("truncated protobuf message")
        yield number, data[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data) and shift < 70:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
    raise ValueError("truncated protobuf number")
