"""Protobuf bodies, as kubectl's `create` commands and Go clients send them."""

from __future__ import annotations

import random
from typing import Any

import pytest

from syncsource.localplane.registry.apitypes import SCALARS, Field, api_type
from syncsource.localplane.registry.builtin import type_names
from syncsource.localplane.serving.bodies import MAX_BODY
from syncsource.localplane.serving.protobuf import MEDIA_TYPE, decode_protobuf
from tests.controlplane.protobufs import body, message, part, varint

SECRET = {"metadata": {"name": "s", "labels": {"a": "b"}}, "data": {"key": "AP8="}, "type": "Opaque", "immutable": True}
SCALAR_SAMPLES: dict[str, Any] = {
    "text": "t", "int32": -7, "int64": 1 << 40, "bool": True, "float64": 1.5, "bytes": "AP8=", "time": "2026-01-02T03:04:05Z",
    "micro": "2026-01-02T03:04:05.000006Z", "duration": "1s", "quantity": "100m", "intstr": "http", "raw": {"a": [1]},
    "any": {"f:a": {}}, "words": ["x", "y"],
}  # fmt: skip


def _sample(name: str) -> dict[str, Any]:
    """An object of the type with every field set."""
    return {found.name: _shaped(found) for found in api_type(name).fields.values() if found.number and found.base != "duration"}


def _shaped(declared: Field) -> Any:
    below = SCALAR_SAMPLES[declared.base] if declared.base in SCALARS else _sample(declared.base)
    return {"[]": [below, below], "{}": {"k": below}, "": below}[declared.shape]


@pytest.mark.parametrize("place", type_names(), ids=str)
def test_every_field_of_every_kind_is_read(place: tuple[str, str]) -> None:
    whole = _sample(type_names()[place])
    assert decode_protobuf(body(*place, message(type_names()[place], whole))) == {**whole, "apiVersion": place[0], "kind": place[1]}


def test_a_time_that_is_empty_is_none_and_zero_is_1970() -> None:
    name = "coordination.v1.Lease"
    renewed = message(name, {"metadata": {}, "spec": {"holderIdentity": "me", "renewTime": "1970-01-01T00:00:00Z"}})
    lease = decode_protobuf(body("coordination.k8s.io/v1", "Lease", renewed + part(1, part(8, b""))))
    assert lease["spec"] == {"holderIdentity": "me", "renewTime": "1970-01-01T00:00:00.000000Z"}
    assert lease["metadata"] == {}


def test_what_is_unknown_is_skipped() -> None:
    unknown = part(900, b"x") + part(901, 5) + varint(902 << 3 | 5) + b"1234" + varint(903 << 3 | 1) + b"12345678"
    assert decode_protobuf(body("v1", "Secret", unknown + message("core.v1.Secret", SECRET)))["type"] == "Opaque"


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{}", b"k8s\x00", body("v1", "Nothing", b""), body("example.dev/v1", "Secret", b""), body("v1", "Secret", b"\x0a\x7f"),
        body("v1", "Secret", b"\xff" * 20), body("v1", "Secret", part(1, 5)), body("v1", "Secret", part(3, b"\xff")),
        body("v1", "Secret", part(5, b"true")), body("v1", "Secret", b"\x00\x00"), body("v1", "Secret", varint(3 << 3 | 2) + varint(1 << 62)),
        body("v1", "Secret", part(1, part(8, part(1, 1 << 62)))), body("v1", "Secret", part(1, part(8, part(2, 1 << 31)))),
        body("v1", "Secret", varint(1 << 3 | 3)), body("apps/v1", "ControllerRevision", part(2, part(1, b"{"))),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_protobuf(raw)


def test_a_body_that_is_cut_off_anywhere_is_an_error_or_an_object() -> None:
    whole = body("v1", "Pod", message("core.v1.Pod", _sample("core.v1.Pod")))
    for length in range(0, len(whole), 11):
        _readable_or_refused(whole[:length])


@pytest.mark.parametrize("seed", range(8))
def test_random_changes_are_an_error_or_an_object(seed: int) -> None:
    chance = random.Random(seed)
    name = chance.choice(["core.v1.Pod", "batch.v1.CronJob", "autoscaling.v2.HorizontalPodAutoscaler", "core.v1.PersistentVolume"])
    place = next(place for place, found in type_names().items() if found == name)
    whole = body(*place, message(name, _sample(name)))
    for _ in range(40):
        changed = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(4, len(changed))
            changed[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        _readable_or_refused(bytes(changed))


def _readable_or_refused(raw: bytes) -> None:
    try:
        assert isinstance(decode_protobuf(raw), dict)
    except ValueError:
        return


def test_a_body_as_large_as_may_be_is_read() -> None:
    many = part(14, b"a/b") * (MAX_BODY // 5 - 100)
    read = decode_protobuf(body("v1", "ConfigMap", part(1, many)))
    assert len(read["metadata"]["finalizers"]) == MAX_BODY // 5 - 100


def test_the_server_reads_it_and_says_what_is_wrong(http) -> None:
    def sent(raw: bytes) -> Any:
        return http.post("/api/v1/namespaces/default/secrets", content=raw, headers={"Content-Type": MEDIA_TYPE})

    made = sent(body("v1", "Secret", message("core.v1.Secret", SECRET)))
    assert (made.status_code, made.json()["data"], made.json()["immutable"]) == (201, {"key": "AP8="}, True)
    for raw in (b"k8s\x00\x0a\x7f", body("v1", "Widget", b""), body("v1", "ConfigMap", b"")):
        refused = sent(raw)
        assert (refused.status_code, refused.json()["reason"]) == (400, "BadRequest")


CREATES = """
create service nodeport outside --tcp=80
create service externalname away --external-name=example.com
create quota most --hard=cpu=1,memory=1Gi,pods=2
create priorityclass urgent --value=1000 --description=first
create pdb half --selector=app=web --min-available=50%
create ingress way --rule=example.com/bar*=front:8080,tls=cert
create namespace another
run single --image=nginx --port=80
expose pod single --port=80 --target-port=8080
"""


@pytest.mark.parametrize("line", CREATES.strip().splitlines())
def test_kubectl_creates_what_it_sends_as_protobuf(kubectl, line) -> None:
    made = kubectl(*line.split())
    assert made.returncode == 0, made.stderr
    assert made.stdout.endswith((" created\n", " exposed\n"))
