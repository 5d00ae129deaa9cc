"""Every type of value, digit for digit: from protobuf over its JSON mapping into a record."""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncsource.records.batch import Broken
from syncsource.records.types import field_type
from syncsource.sources.firestore.values import Values
from tests.firestore.querying import Value
from tests.firestore.reading import opened, read
from tests.firestore.server import DOCUMENTS, Firestore, firestore
from tests.upstream import Asked, Reply

EXAMPLES = 2000 if os.environ.get("SYNCSOURCE_TEST_SOAK") else 50
LAST = 253_402_300_799  # 9999-12-31T23:59:59Z
FIRST = -62_135_596_800  # 0001-01-01T00:00:00Z


@pytest.fixture(scope="module")
def server() -> Iterator[Firestore]:
    with firestore() as server:
        yield server


def plain(value: Any) -> Any:
    """What a Value must become, taken from the protobuf and not from its JSON."""
    kind = value.WhichOneof("value_type")
    held = getattr(value, kind)
    match kind:
        case "null_value":
            return None
        case "timestamp_value":
            return (held.seconds, held.nanos)
        case "bytes_value":
            return base64.b64encode(held).decode()
        case "geo_point_value":
            return {"latitude": held.latitude, "longitude": held.longitude}
        case "array_value":
            return [plain(one) for one in held.values]
        case "map_value":
            if "__type__" in held.fields:
                return plain(held.fields["value"])
            return {name: plain(one) for name, one in held.fields.items()}
    return held


def same(read: Any, wanted: Any) -> bool:
    """Whether a record's value is exactly that one."""
    if isinstance(wanted, tuple):
        return _instant(read) == wanted
    if isinstance(wanted, float):
        if not math.isfinite(wanted):
            return read == {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(wanted)]
        return not isinstance(read, float) and float(read) == wanted
    if isinstance(wanted, list):
        return isinstance(read, list) and len(read) == len(wanted) and all(map(same, read, wanted))
    if isinstance(wanted, dict):
        return isinstance(read, dict) and read.keys() == wanted.keys() and all(same(read[name], wanted[name]) for name in wanted)
    return type(read) is type(wanted) and read == wanted


def _instant(text: str) -> tuple[int, int]:
    from google.protobuf.timestamp_pb2 import Timestamp

    moment = Timestamp()
    moment.FromJsonString(text)
    return moment.seconds, moment.nanos


def _geo(latitude: float, longitude: float) -> Any:
    value = Value()
    value.geo_point_value.latitude, value.geo_point_value.longitude = latitude, longitude
    return value


def _timestamp(seconds: int, nanos: int) -> Any:
    value = Value()
    value.timestamp_value.seconds, value.timestamp_value.nanos = seconds, nanos
    return value


def _array(values: list[Any]) -> Any:
    value = Value()
    value.array_value.SetInParent()
    value.array_value.values.extend(values)
    return value


def _map(values: dict[str, Any]) -> Any:
    value = Value()
    value.map_value.SetInParent()
    for name, held in values.items():
        value.map_value.fields[name].CopyFrom(held)
    return value


def _vector(numbers: list[float]) -> Any:
    return _map({"__type__": Value(string_value="__vector__"), "value": _array([Value(double_value=number) for number in numbers])})


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = TEXTS.filter(lambda name: name and not (name.startswith("__") and name.endswith("__")))
SCALARS = st.one_of(
    st.just(Value(null_value=0)),
    st.booleans().map(lambda held: Value(boolean_value=held)),
    st.integers(-(2**63), 2**63 - 1).map(lambda held: Value(integer_value=held)),
    st.floats().map(lambda held: Value(double_value=held)),
    st.builds(_timestamp, st.integers(FIRST, LAST), st.integers(0, 999_999_999)),
    TEXTS.map(lambda held: Value(string_value=held)),
    st.binary(max_size=20).map(lambda held: Value(bytes_value=held)),
    st.builds(_geo, st.floats(-90, 90), st.floats(-180, 180)),
    NAMES.filter(lambda name: "/" not in name).map(lambda name: Value(reference_value=f"{DOCUMENTS}/stores/{name}")),
    st.lists(st.floats(allow_nan=False), max_size=4).map(_vector),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4).map(_array), st.dictionaries(NAMES, inner, max_size=4).map(_map)),
    max_leaves=8,
)


@pytest.mark.soak
@settings(max_examples=EXAMPLES, deadline=None)
@given(fields=st.dictionaries(NAMES, VALUES, max_size=5))
def test_all_types_of_values_arrive_as_they_are(server: Firestore, fields: dict[str, Any]) -> None:
    server.put("orders/1", fields)
    (record,) = read(opened(server))
    found = {name: value for name, value in record.items() if name not in _ABOUT}
    assert found.keys() == fields.keys()
    for name, value in fields.items():
        assert same(found[name], plain(value)), (found[name], value)


_ABOUT = {"__name__", "__path__", "__id__", "__ids__", "__createTime__", "__updateTime__"}


def test_what_firestore_knows_of_a_document_stands_beside_its_fields(server: Firestore) -> None:
    """Under names that no field can have: a field updateTime is another one."""
    server.put("stores/7/returns/r-1", {"updateTime": "mine", "name": "x"})
    (record,) = read(opened(server, collection="stores/7/returns"))
    created, updated = record.pop("__createTime__"), record.pop("__updateTime__")
    assert created == updated
    assert created.startswith("2023-11-14T22:13:20.")
    assert record == {
        "updateTime": "mine",
        "name": "x",
        "__id__": "r-1",
        "__path__": "stores/7/returns/r-1",
        "__name__": f"{DOCUMENTS}/stores/7/returns/r-1",
        "__ids__": ["7", "r-1"],
    }


@pytest.mark.parametrize(("style", "read_as"), [("Name", f"{DOCUMENTS}/stores/7"), ("Path", "stores/7"), ("Id", "7")])
def test_references_are_read_whole_or_in_part(server: Firestore, style: str, read_as: str) -> None:
    server.put(
        "orders/1",
        {"store": Value(reference_value=f"{DOCUMENTS}/stores/7"), "more": _array([Value(reference_value=f"{DOCUMENTS}/stores/7")])},
    )
    (record,) = read(opened(server, references=style))
    assert (record["store"], record["more"]) == (read_as, [read_as])


def test_a_timestamp_of_nanoseconds_is_written_digit_for_digit_or_kept_aside() -> None:
    """Precision or zone lost: six decimals fit a column, a seventh is no silent loss."""
    for text in ("2026-03-01T12:00:00.123456Z", "2026-03-01T12:00:00.123456789Z"):
        assert Values().record(_document(at={"timestampValue": text}))["at"] == text
    assert field_type("timestamp").convert("2026-03-01T12:00:00.123456Z").isoformat() == "2026-03-01T12:00:00.123456+00:00"
    with pytest.raises(ValueError, match="at most six decimals"):
        field_type("timestamp").convert("2026-03-01T12:00:00.123456789Z")


def test_big_integers_and_decimals_never_pass_through_floats(server: Firestore) -> None:
    def exact(asked: Asked, elements: list[str]) -> Reply:
        whole = json.loads(elements[0])
        whole["document"]["fields"] = {"n": {"integerValue": "9007199254740993"}, "d": {"doubleValue": 0}}
        return Reply(
            ("[" + json.dumps(whole).replace('"doubleValue": 0', '"doubleValue": 0.1000000000000000055511151231257827') + "]").encode()
        )

    server.put("orders/1", {})
    server.faults.append(exact)
    (record,) = read(opened(server))
    assert (record["n"], record["d"]) == (9007199254740993, Decimal("0.1000000000000000055511151231257827"))


BENT = [
    ({}, "x: a value must be an object with exactly one type"),
    ({"stringValue": "a", "integerValue": "1"}, "x: a value must be an object with exactly one type"),
    ("bare", "x: a value must be an object with exactly one type"),
    ({"integerValue": "1.5"}, "x: an integer was expected"),
    ({"integerValue": "1" * 40}, "x: an integer was expected"),
    ({"integerValue": True}, "x: an integer was expected"),
    ({"doubleValue": "many"}, "x: a double was expected"),
    ({"booleanValue": "true"}, "x: a boolean was expected"),
    ({"stringValue": 5}, "x: a text was expected"),
    ({"timestampValue": 5}, "x: a text was expected"),
    ({"geoPointValue": {"latitude": "north"}}, "x: a double was expected"),
    ({"geoPointValue": 1}, "x: an object was expected"),
    ({"arrayValue": {"values": {}}}, "x: values: another type was expected"),
    ({"mapValue": {"fields": {"y": {"newValue": 1}}}}, "x: y: 'newValue' is not a type of a value in a document"),
    ({"new\x1b[31mValue": 1}, "x: 'new [31mValue' is not a type of a value in a document"),
]


@pytest.mark.parametrize(("value", "said"), BENT)
def test_a_value_that_is_none_goes_to_quarantine_with_its_field(value: Any, said: str) -> None:
    record = Values().record(_document(x=value))
    assert record == Broken("UnreadableValue", said, {"__name__": f"{DOCUMENTS}/orders/1"})


def test_nested_bombs_are_kept_aside() -> None:
    value: Any = {"nullValue": None}
    for _ in range(5000):
        value = {"arrayValue": {"values": [value]}}
    assert Values().record(_document(x=value)).message == "the document is nested too deeply"


def test_json_leaves_out_what_is_empty_or_zero() -> None:
    record = Values().record(_document(a={"arrayValue": {}}, m={"mapValue": {}}, g={"geoPointValue": {}}))
    assert (record["a"], record["m"], record["g"]) == ([], {}, {"latitude": 0, "longitude": 0})


def _document(**fields: Any) -> dict[str, Any]:
    return {"name": f"{DOCUMENTS}/orders/1", "fields": fields}
