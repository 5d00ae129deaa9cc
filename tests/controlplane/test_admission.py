"""Admission without a server: every CEL rule of a large definition, held and broken, and the messages of the schema."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from syncsource.localplane.admission import CustomResourceValidator, InvalidDefinition

CRD = yaml.safe_load((Path(__file__).parent / "data" / "syncsources.yaml").read_text())
VALIDATOR = CustomResourceValidator(CRD)
BASE: dict[str, Any] = {
    "apiVersion": "syncsource.dev/v1alpha1",
    "kind": "SyncSource",
    "metadata": {"name": "bookings", "namespace": "rental"},
    "spec": {
        "source": {"http": {"baseURL": "https://api.example/v1"}},
        "fields": [{"name": "id"}, {"name": "phone"}],
        "keys": [{"fields": ["id"]}],
        "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "leads"}},
    },
}
HTTP = {"baseURL": "https://api.example/v1"}
SQL = BASE["spec"]["destination"]["sql"]


def _with(**spec: Any) -> dict[str, Any]:
    return {**BASE, "spec": {**copy.deepcopy(BASE["spec"]), **spec}}


def _messages(obj: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    return [str(found) for found in VALIDATOR.admit(obj, old).causes]


def _spec_rules(schema: dict[str, Any]) -> int:
    below = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return len(schema.get("x-kubernetes-validations", [])) + sum(_spec_rules(each) for each in below if isinstance(each, dict))


RULES = [
    ({}, {"keys": [{"fields": ["other"]}]}, "spec.keys: Invalid value: every key field must be one of spec.fields"),
    (
        {"incremental": {"cursor": "c", "param": "p"}},
        {"incremental": {"cursor": "c", "param": "p"}, "source": {"csv": {"url": "x"}}},
        "spec: Invalid value: incremental.param is only for source.http",
    ),
    (
        {"schedule": {"every": "5m", "full": {"every": "1h"}}, "incremental": {"cursor": "c"}},
        {"schedule": {"every": "5m", "full": {"every": "1h"}}},
        "spec: Invalid value: schedule.full needs incremental, every run is full without it",
    ),
    (
        {"write": {"onAbsent": "Delete"}, "safety": {"transaction": "Run"}},
        {"write": {"onAbsent": "Delete"}, "safety": {"transaction": "Batch"}},
        "spec: Invalid value: onAbsent SoftDelete and Delete need safety.transaction Run",
    ),
    (
        {
            "write": {"onAbsent": "Delete"},
            "partitions": {"values": ["1"]},
            "fields": [{"name": "id"}, {"name": "store", "value": "{{ partition }}"}],
        },
        {"write": {"onAbsent": "Delete"}, "partitions": {"values": ["1"]}},
        'spec: Invalid value: onAbsent with partitions needs a field whose value is "{{ partition }}"',
    ),
    (
        {"schedule": {"every": "14d"}, "freshness": {"maxAge": "14d1h"}},
        {"schedule": {"every": "1d1h"}, "freshness": {"maxAge": "24h"}},
        "spec.freshness.maxAge: Invalid value: freshness.maxAge must not be shorter than schedule.every",
    ),
    (
        {"write": {"protect": ["phone"]}},
        {"write": {"protect": ["notes"]}},
        "spec.write.protect: Invalid value: write.protect names a column that is not in spec.fields",
    ),
    (
        {"schedule": {"cron": "0 */2 * * *"}},
        {"schedule": {"cron": "0 */2 * * *", "every": "5m"}},
        "spec.schedule: Invalid value: exactly one of every and cron must be set",
    ),
    (
        {"schedule": {"cron": "0 */2 * * *", "timeZone": "Asia/Jakarta"}},
        {"schedule": {"every": "5m", "timeZone": "Asia/Jakarta"}},
        "spec.schedule: Invalid value: timeZone is only for cron",
    ),
    (
        {"schedule": {"every": "5m", "full": {"cron": "0 3 * * *"}}, "incremental": {"cursor": "c"}},
        {"schedule": {"every": "5m", "full": {}}, "incremental": {"cursor": "c"}},
        "spec.schedule.full: Invalid value: exactly one of every and cron must be set",
    ),
    (
        {"schedule": {"cron": "0 */2 * * *", "timeZone": "UTC"}},
        {"schedule": {"cron": "0 */2 * * *", "timeZone": "Local"}},
        'spec.schedule.timeZone: Invalid value: "Local": not an IANA time zone',
    ),
    (
        {"source": {"sql": {"table": "t"}}},
        {"source": {"sql": {"table": "t"}, "http": HTTP}},
        "spec.source: Invalid value: exactly one of http, firestore, csv, sql must be set",
    ),
    (
        {"source": {"http": {"baseURL": "http://[::1]:80/a?b=c"}}},
        {"source": {"http": {"baseURL": "ftp://host/"}}},
        'spec.source.http.baseURL: Invalid value: "ftp://host/": must be an http or https URL',
    ),
    (
        {"source": {"http": {**HTTP, "pagination": {"link": {}}}}},
        {"source": {"http": {**HTTP, "pagination": {"link": {}, "none": {}}}}},
        "spec.source.http.pagination: Invalid value: exactly one of page, offset, cursor, link, nextURL, keyset, none must be set",
    ),
    (
        {"partitions": {"from": {"table": "stores", "column": "id"}}},
        {"partitions": {"values": ["1"], "from": {"table": "stores", "column": "id"}}},
        "spec.partitions: Invalid value: exactly one of values and from must be set",
    ),
    (
        {"incremental": {"cursor": "c", "timeZone": "Asia/Jakarta"}},
        {"incremental": {"cursor": "c", "timeZone": "Local"}},
        'spec.incremental.timeZone: Invalid value: "Local": not an IANA time zone',
    ),
    (
        {"fields": [{"name": "id", "path": "a.b"}]},
        {"fields": [{"name": "id", "path": "a.b", "value": "c"}]},
        "spec.fields[0]: Invalid value: path and value exclude each other",
    ),
    (
        {"fields": [{"name": "id", "type": "timestamp", "timeZone": "Asia/Jakarta"}]},
        {"fields": [{"name": "id", "type": "text", "timeZone": "Asia/Jakarta"}]},
        "spec.fields[0]: Invalid value: timeZone is only for timestamps",
    ),
    (
        {"fields": [{"name": "id", "type": "timestamp", "timeZone": "America/Argentina/Buenos_Aires"}]},
        {"fields": [{"name": "id", "type": "timestamp", "timeZone": "Local"}]},
        'spec.fields[0].timeZone: Invalid value: "Local": not an IANA time zone',
    ),
    (
        {"keys": [{"fields": ["id"], "normalize": {"id": "digits"}}]},
        {"keys": [{"fields": ["id"], "normalize": {"phone": "digits"}}]},
        "spec.keys[0]: Invalid value: normalize names a field that is not in this key",
    ),
    (
        {"destination": {"http": {}}},
        {"destination": {"http": {}, "sql": SQL}},
        "spec.destination: Invalid value: exactly one of sql and http must be set",
    ),
    (
        {"write": {"onExisting": "Merge", "conflict": {"resolve": "Newest", "field": "id"}}},
        {"write": {"onExisting": "Merge", "conflict": {"resolve": "Newest"}}},
        "spec.write.conflict: Invalid value: field is needed with Newest and only there",
    ),
    (
        {"write": {"onExisting": "Merge", "conflict": {"resolve": "Manual"}}},
        {"write": {"onExisting": "Update", "conflict": {"resolve": "Manual"}}},
        "spec.write: Invalid value: conflict needs onExisting Merge",
    ),
]
CHANGES = [
    ({}, {"destination": {"http": {}}}, "spec.destination: Invalid value: the kind of destination is immutable"),
    ({}, {"destination": {"sql": {**SQL, "table": "other"}}}, "spec.destination.sql.table: Invalid value: table is immutable"),
    ({}, {"destination": {"sql": {**SQL, "schema": "other"}}}, "spec.destination.sql: Invalid value: schema is immutable"),
]


def test_every_rule_is_tried() -> None:
    schema = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert _spec_rules(schema) == len(RULES) + len(CHANGES) + 1  # one is about the name


@pytest.mark.parametrize(("held", "broken", "message"), RULES, ids=[message.partition(": ")[0] for _, _, message in RULES])
def test_a_rule_holds_or_gives_its_message(held, broken, message) -> None:
    assert _messages(_with(**held)) == []
    assert message in _messages(_with(**broken))


@pytest.mark.parametrize(("before", "after", "message"), CHANGES, ids=["kind", "table", "schema"])
def test_a_rule_about_changes_needs_an_old_object(before, after, message) -> None:
    old = VALIDATOR.admit(_with(**before)).object
    assert _messages(_with(**after)) == []
    assert _messages(_with(**after), old) == [message]
    assert _messages(_with(**before), old) == []


def test_a_rule_about_the_name() -> None:
    long = {**BASE, "metadata": {"name": "a" * 64}}
    assert _messages(long) == ["<nil>: Invalid value: metadata.name must be at most 63 characters"]
    assert _messages({**BASE, "metadata": {"name": "a" * 63}}) == []


def test_an_unknown_time_zone_is_refused() -> None:
    (message,) = _messages(_with(schedule={"cron": "0 0 * * *", "timeZone": "Nowhere/City"}))
    assert (
        message == 'spec.schedule.timeZone: Invalid value: "string": unknown time zone Nowhere/City evaluating rule: not an IANA time zone'
    )


SCHEMA = [
    ({"suspend": "yes"}, 'spec.suspend: Invalid value: "string": spec.suspend in body must be of type boolean: "string"'),
    ({"timeout": 5}, 'spec.timeout: Invalid value: "int64": spec.timeout in body must be of type duration: "int64"'),
    (
        {"timeout": "5 years"},
        "spec.timeout: Invalid value: \"5 years\": spec.timeout in body should match '^([0-9]{1,9}(ms|s|m|h|d))+$'",
    ),
    ({"retry": {"limit": 101}}, "spec.retry.limit: Invalid value: 101: spec.retry.limit in body should be less than or equal to 100"),
    ({"keys": []}, "spec.keys: Invalid value: 0: spec.keys in body should have at least 1 items"),
    ({"keys": [{"fields": ["id", "id"]}]}, 'spec.keys[0].fields[1]: Duplicate value: "id"'),
    ({"keys": [{"fields": ["id"]}] * 9}, "spec.keys: Too many: 9: must have at most 8 items"),
    ({"fields": [{"name": "id"}, {"name": "id"}]}, 'spec.fields[1]: Duplicate value: {"name":"id"}'),
    ({"source": {"http": {}}}, "spec.source.http.baseURL: Required value"),
    (
        {"source": {"http": {**HTTP, "auth": {}}}},
        "spec.source.http.auth: Invalid value: 0: spec.source.http.auth in body should have at least 1 properties",
    ),
    ({"execution": {"mode": "Thread"}}, 'spec.execution.mode: Unsupported value: "Thread": supported values: "Worker", "Job"'),
    ({"safety": {"maxChanged": True}}, None),
    ({"safety": {"maxChanged": "200%"}}, None),
    ({"source": {"http": {**HTTP, "pagination": {"link": None}}}}, None),
]


@pytest.mark.parametrize(("spec", "message"), SCHEMA)
def test_the_schema_is_checked(spec, message) -> None:
    messages = _messages(_with(**spec))
    assert messages
    assert message is None or message in messages


def test_defaults_are_filled_in_and_unknown_fields_go() -> None:
    obj = _with(partitions={"values": ["1"], "colour": "red"}, colour="red")
    obj["spec"]["source"]["http"]["request"] = {"body": {"kept": {"any": None}}}
    admitted = VALIDATOR.admit(obj)
    assert admitted.causes == ()
    assert set(admitted.unknown) == {"spec.colour", "spec.partitions.colour"}
    assert admitted.object["spec"]["partitions"] == {"values": ["1"], "parallelism": 1, "onFailure": "Continue"}
    assert admitted.object["spec"]["source"]["http"]["request"] == {"body": {"kept": {"any": None}}, "method": "GET"}
    assert obj["spec"]["colour"] == "red"


def test_what_did_not_change_is_not_checked_again() -> None:
    old = VALIDATOR.admit(_with(keys=[{"fields": ["other"]}], timeout="5 years")).object
    assert _messages({**old, "metadata": {**old["metadata"], "labels": {"a": "b"}}}, old) == []


def test_the_largest_object_that_the_bounds_allow_is_checked_whole() -> None:
    fields = [{"name": f"f{number}"} for number in range(500)]
    keys = [{"fields": [f"f{499 - number}" for number in range(16)]}] * 8
    assert _messages(_with(fields=fields, keys=keys)) == []
    broken = [*keys[1:], {"fields": ["missing"]}]
    assert _messages(_with(fields=fields, keys=broken)) == ["spec.keys: Invalid value: every key field must be one of spec.fields"]


def test_schema_errors_keep_rules_from_running() -> None:
    messages = _messages(_with(keys=[{"fields": ["other"]}], suspend="yes"))
    assert len(messages) == 2
    assert any("some validation rules were not checked because the object was invalid" in message for message in messages)


@pytest.mark.parametrize(
    ("change", "path", "text"),
    [
        ({"type": ""}, "spec.validation.openAPIV3Schema.properties[spec].properties[x].type", "must not be empty for specified object fields"),
        ({"type": "array"}, "spec.validation.openAPIV3Schema.properties[spec].properties[x].items", "must be specified"),
        ({"type": "string", "pattern": "("}, "spec.validation.openAPIV3Schema.properties[spec].properties[x].pattern", "valid regular expression"),
        ({"$ref": "#/a", "type": "object"}, "spec.validation.openAPIV3Schema.properties[spec].properties[x].$ref", "not supported"),
        ({"type": "integer", "exclusiveMinimum": 3}, "spec.versions.schema.openAPIV3Schema", "of type bool"),
        ({"type": "integer", "default": "a"}, "spec.validation.openAPIV3Schema.properties[spec].properties[x].default", "must be of type integer"),
        (
            {"type": "integer", "x-kubernetes-validations": [{"rule": "self >"}]},
            "spec.validation.openAPIV3Schema.properties[spec].properties[x].x-kubernetes-validations[0].rule",
            "compilation failed: ERROR: <input>:1:7: Syntax error",
        ),
        (
            {"type": "integer", "x-kubernetes-validations": [{"rule": "self + 1"}]},
            "spec.validation.openAPIV3Schema.properties[spec].properties[x].x-kubernetes-validations[0].rule",
            "",
        ),
        (
            {"type": "array", "maxItems": 9, "items": {"type": "string", "maxLength": 9, "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}},
            "spec.validation.openAPIV3Schema.properties[spec].properties[x].items.x-kubernetes-validations[0].rule",
            "oldSelf cannot be used on the uncorrelatable portion of the schema",
        ),
        (
            {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"],
             "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
            "spec.validation.openAPIV3Schema.properties[spec].properties[x].items.properties[a].default",
            "it must have a default or be a required property",
        ),
    ],
)  # fmt: skip
def test_a_bad_definition_is_refused_with_the_path(change, path, text) -> None:
    crd = copy.deepcopy(CRD)
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["x"] = change
    with pytest.raises(InvalidDefinition) as refused:
        CustomResourceValidator(crd)
    assert [found.field for found in refused.value.causes] == [path]
    assert text in str(refused.value)


def test_a_rule_that_names_no_field_is_refused() -> None:
    crd = copy.deepcopy(CRD)
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["x-kubernetes-validations"] = [{"rule": "self.nothing == 1"}, {"rule": "self.timeout == 1"}]
    with pytest.raises(InvalidDefinition) as refused:
        CustomResourceValidator(crd)
    assert [found.field for found in refused.value.causes] == [
        f"spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[{index}].rule" for index in range(2)
    ]
    assert "undefined field 'nothing'" in str(refused.value)


def test_another_kind_is_not_decided_about() -> None:
    with pytest.raises(ValueError, match="no matches for kind"):
        VALIDATOR.admit({**BASE, "kind": "Other"})


def test_importing_it_brings_no_server() -> None:
    code = "import sys, syncsource.localplane.admission; sys.exit(any(name in sys.modules for name in ('aiohttp', 'asyncio', 'sqlite3')))"
    assert subprocess.run([sys.executable, "-c", code], timeout=30).returncode == 0
