"""Protobuf bodies, as kubectl's `create` commands send them."""

from __future__ import annotations

import pytest

from syncsource.localplane.serving.protobuf import decode_protobuf


def _field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return bytes([number << 3, value])
    return bytes([number << 3 | 2, len(value)]) + value


def _body(api_version: str, kind: str, raw: bytes) -> bytes:
    meta = _field(1, api_version.encode()) + _field(2, kind.encode())
    return b"k8s\x00" + _field(1, meta) + _field(2, raw) + _field(3, b"") + _field(4, b"")


def _metadata(name: str) -> bytes:
    empty_time = _field(8, b"")
    label = _field(11, _field(1, b"a") + _field(2, b"b"))
    return _field(1, _field(1, name.encode()) + _field(2, b"") + empty_time + label)


def test_a_secret_is_read() -> None:
    raw = _metadata("s") + _field(2, _field(1, b"key") + _field(2, b"\x00\xff")) + _field(3, b"Opaque") + _field(5, 1)
    assert decode_protobuf(_body("v1", "Secret", raw)) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "labels": {"a": "b"}},
        "data": {"key": "AP8="},
        "type": "Opaque",
        "immutable": True,
    }


def test_lists_and_times_are_read() -> None:
    rule = _field(1, b"get") + _field(1, b"list") + _field(3, b"secrets")
    role = decode_protobuf(_body("rbac.authorization.k8s.io/v1", "Role", _metadata("r") + _field(2, rule) + _field(2, rule)))
    assert role["rules"] == [{"verbs": ["get", "list"], "resources": ["secrets"]}] * 2
    renewed = _field(4, _field(1, 90) + _field(2, 0))
    lease = decode_protobuf(_body("coordination.k8s.io/v1", "Lease", _metadata("l") + _field(2, _field(1, b"me") + renewed)))
    assert lease["spec"] == {"holderIdentity": "me", "renewTime": "1970-01-01T00:01:30.000000Z"}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"k8s\x00", _body("v1", "Node", b""), _body("v1", "Secret", _field(9, b"x")), _body("v1", "Secret", b"\x0a\x7f"),
        _body("v1", "Secret", b"\xff" * 20),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error_and_nothing_is_dropped(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"protobuf"):
        decode_protobuf(body)


def test_kubectl_creates_what_it_sends_as_protobuf(kubectl, http) -> None:
    for arguments in (
        ("secret", "generic", "p", "--from-literal=a=b"),
        ("configmap", "p", "--from-literal=a=b"),
        ("serviceaccount", "p"),
        ("role", "p", "--verb=get", "--resource=secrets"),
        ("rolebinding", "p", "--role=p", "--serviceaccount=default:p"),
        ("namespace", "p"),
    ):
        done = kubectl("create", *arguments)
        assert done.returncode == 0, done.stderr
    assert http.get("/api/v1/namespaces/default/secrets/p").json()["data"] == {"a": "Yg=="}
    assert kubectl("auth", "whoami").returncode == 0
    assert "*.*" in kubectl("auth", "can-i", "--list").stdout
