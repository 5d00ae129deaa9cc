"""The types of built-in kinds, and what is read of single values: no server needed."""

from __future__ import annotations

import pytest

from syncsource.localplane.registry.apitypes import SCALARS, api_type, references
from syncsource.localplane.registry.builtin import builtin_resources, descriptions, type_names
from syncsource.localplane.registry.schemas import schema_of
from syncsource.localplane.serving.cells import CELLS
from syncsource.localplane.serving.labelcells import formatted_selector
from syncsource.localplane.serving.podcells import POD_CELLS
from syncsource.localplane.writing.cronschedules import check_schedule, check_zone
from syncsource.localplane.writing.native import empty_native, read_native
from syncsource.localplane.writing.scalars import quantity

TYPES = sorted({below for name in type_names().values() for below in references(name)})


@pytest.mark.parametrize("name", TYPES)
def test_a_type_holds_together(name: str) -> None:
    declared = api_type(name)
    for found in declared.fields.values():
        below = SCALARS if found.base in SCALARS else api_type(found.base).fields
        assert set(found.keys) <= set(below)
        assert not found.merge_key or found.merge_key in below
        assert not found.enum or found.default in (*found.enum, "") or not isinstance(found.default, str)
    assert set(schema_of(name).properties) == set(declared.fields)
    assert read_native(name, {}) == []
    assert read_native(name, empty_native(name)) == []


def test_what_is_described_is_there() -> None:
    for name in descriptions():
        owner, _, field = name.rpartition(".")
        assert name in TYPES or field in api_type(owner).fields


def test_every_cell_has_its_function() -> None:
    wanted = {column.cell for resource in builtin_resources() for column in resource.columns if column.cell}
    assert wanted == set(CELLS)


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("1000m", "1"), ("1024Mi", "1Gi"), (0.5, "500m"), ("0.5Gi", "512Mi"), ("1e3", "1e3"), ("1500m", "1500m"), ("0", "0"), (2, "2"),
        ("1000", "1k"), ("100n", "100n"), ("1.5Gi", "1536Mi"), ("-1", "-1"), ("1000000", "1M"), ("123456789012345678901", "123456789012345678901"),
        ("0.1Ki", "102400m"), ("1E", "1E"), ("12e6", "12e6"),
    ],
)  # fmt: skip
def test_quantities_have_one_form(given: object, canonical: str) -> None:
    assert quantity(given) == canonical
    assert quantity(canonical) == canonical


@pytest.mark.parametrize("given", ["", "x", "1.", "1x", "--1", "1 Gi", "1e", "9" * 300, "1e999"])
def test_what_is_no_quantity_is_refused(given: str) -> None:
    if given == "1.":
        assert quantity(given) == "1"
        return
    with pytest.raises(ValueError, match="quantities must match"):
        quantity(given)


@pytest.mark.parametrize(
    ("schedule", "wrong"),
    [
        ("*/5 * * * *", ""), ("0 9-17/2 1,15 jan-MAR mon-fri", ""), ("@hourly", ""), ("@every 1h30m", ""), ("? * * * *", ""),
        ("", "empty spec string"), ("x", "expected exactly 5 fields, found 1: [x]"), ("* * * * * *", "expected exactly 5 fields, found 6: [* * * * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"), ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"), ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"), ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'), ("@often", "unrecognized descriptor: @often"),
        ("@every x", 'failed to parse duration @every x: time: invalid duration "x"'),
        ("TZ=UTC * * * * *", "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"),
    ],
)  # fmt: skip
def test_schedules_are_read_as_cron_reads_them(schedule: str, wrong: str) -> None:
    assert check_schedule(schedule) == wrong


@pytest.mark.parametrize(
    ("zone", "is_wrong"), [("UTC", False), ("Asia/Jakarta", False), ("", True), ("Local", True), ("../x", True), ("A/B", True)]
)
def test_zones(zone: str, is_wrong: bool) -> None:
    assert bool(check_zone(zone)) is is_wrong


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ({"phase": "Pending"}, "Pending"),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        ({"phase": "Running", "containerStatuses": [{"ready": True, "state": {"running": {}}}]}, "Running"),
        ({"phase": "Succeeded", "containerStatuses": [{"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}]}, "Completed"),
        ({"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 3}}}]}, "ExitCode:3"),
        ({"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"signal": 9}}}]}, "Signal:9"),
        ({"phase": "Pending", "initContainerStatuses": [{"state": {"waiting": {"reason": "PodInitializing"}}}]}, "Init:0/1"),
        ({"phase": "Pending", "initContainerStatuses": [{"state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]}, "Init:Error"),
        ({"phase": "Pending", "initContainerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull"}}}]}, "Init:ErrImagePull"),
        ({"phase": "Pending", "conditions": [{"type": "PodScheduled", "reason": "SchedulingGated"}]}, "SchedulingGated"),
    ],
    ids=str,
)
def test_the_status_of_a_pod_in_one_word(status: dict[str, object], shown: str) -> None:
    pod = {"metadata": {}, "spec": {"containers": [{"name": "c"}], "initContainers": [{"name": "i"}]}, "status": status}
    assert POD_CELLS["pod_status"](pod) == shown


def test_selectors_as_kubectl_prints_them() -> None:
    expressions = [
        {"key": "a", "operator": "In", "values": ["y", "x"]},
        {"key": "b", "operator": "Exists"},
        {"key": "c", "operator": "DoesNotExist"},
    ]
    assert formatted_selector({"matchLabels": {"k": "v"}, "matchExpressions": expressions}) == "k=v,a in (x,y),b,!c"
    assert formatted_selector({}) == formatted_selector(None) == "<none>"
