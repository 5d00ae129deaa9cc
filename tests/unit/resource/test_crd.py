"""The generated CRD: in step with crds/, and what it accepts and refuses."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from syncsource.errors import StalledError
from syncsource.localplane.admission import CustomResourceValidator
from syncsource.resource import crd as definition
from syncsource.resource.crd import crd
from syncsource.resource.generating import crd_json, crd_yaml
from syncsource.resource.spec import SyncSourceSpec
from syncsource.resource.status import SyncSourceStatus
from syncsource.resource.syncsource import parse
from syncsource.resource.validation import admitted, problems

ROOT = Path(__file__).resolve().parents[3]

VALID: dict[str, Any] = yaml.safe_load("""
apiVersion: syncsource.dev/v1alpha1
kind: SyncSource
metadata: {name: bookings, namespace: rental}
spec:
  schedule: {every: 5m}
  source:
    http:
      baseURL: https://api.example/v1
      auth: {basic: {secretRef: {name: rental-api}}}
      request: {path: /bookings, query: {state: open, limit: 10}}
      records: data.items
      pagination: {page: {sizeParam: per_page, size: 100}}
      rateLimit: {requests: 2, per: 1s}
  incremental: {cursor: updatedAt, param: modified_after, lookback: 10m}
  fields:
  - {name: booking_no, path: bookingNo, type: text, required: true}
  - {name: total, path: amount.total, type: "decimal(18,2)"}
  - {name: booked_at, path: bookedAt, type: timestamp, timeZone: Asia/Jakarta}
  keys:
  - {fields: [booking_no]}
  destination:
    sql: {urlFrom: {secretKeyRef: {name: db, key: url}}, table: bookings, createTable: true}
""")


def changed(path: str, value: Any) -> dict[str, Any]:
    """The valid manifest with one place changed; ... removes it."""
    manifest = deepcopy(VALID)
    *way, last = path.split(".")
    place: Any = manifest
    for step in way:
        place = place[int(step)] if step.isdigit() else place.setdefault(step, {})
    if value is ...:
        del place[last]
    else:
        place[int(last) if last.isdigit() else last] = value
    return manifest


def test_the_file_in_crds_is_the_generated_one() -> None:
    assert (ROOT / "crds" / "syncsource.yaml").read_text() == crd_yaml(), "run `make crds`"


def test_the_file_in_the_package_is_the_generated_one() -> None:
    assert Path(definition.__file__).with_name("crd.json").read_text() == crd_json(), "run `make crds`"


def test_every_field_of_spec_and_status_has_a_description() -> None:
    bare: list[str] = []

    def look(schema: dict[str, Any], path: str) -> None:
        for name, child in schema.get("properties", {}).items():
            if not child.get("description"):
                bare.append(f"{path}.{name}")
            look(child, f"{path}.{name}")
        if "items" in schema:
            look(schema["items"], f"{path}[]")

    properties = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    look({"properties": {"spec": properties["spec"], "status": properties["status"]}}, "")
    assert bare == []


def test_no_keyword_that_an_api_server_refuses() -> None:
    text = crd_yaml()
    assert not [word for word in ("$ref", "anyOf", "const:", "exclusiveM", "title:", "allOf") if word in text]


def test_a_valid_manifest_has_no_problems() -> None:
    assert problems(VALID) == []
    spec = admitted(VALID)["spec"]
    assert spec["suspend"] is False
    assert spec["source"]["http"]["pagination"]["page"]["totalPagesHeader"] == "X-WP-TotalPages"


CASES = [
    ("spec.foo", 1, "spec.foo: unknown field"),
    ("spec.source.http.pagesize", 1, "spec.source.http.pagesize: unknown field"),
    ("spec.suspend", "yes", 'spec.suspend: Invalid value: "string": spec.suspend in body must be of type boolean: "string"'),
    ("spec.schedule.cron", "* * * * *", "spec.schedule: Invalid value: exactly one of every and cron must be set"),
    ("spec.schedule", {}, "spec.schedule: Invalid value: exactly one of every and cron must be set"),
    ("spec.schedule.timeZone", "UTC", "spec.schedule: Invalid value: timeZone is only for cron"),
    ("spec.schedule", {"cron": "61 * * * *"}, "spec.schedule.cron: '61 * * * *' is not a cron expression: Bad minute"),
    ("spec.schedule", {"cron": "0 0 30 2 *"}, "spec.schedule.cron: '0 0 30 2 *' is not a cron expression: Bad day-of-month"),
    ("spec.schedule", {"cron": "H(50-10) * * * *"}, "spec.schedule.cron: 'H(50-10)': 50 is larger than 10"),
    ("spec.schedule", {"cron": "0 0 * * *", "timeZone": "Asia/Nowhere"}, "spec.schedule.timeZone: "),
    ("spec.schedule.every", "0s", "spec.schedule.every: Invalid value: every must be at least 1s"),
    ("spec.schedule.every", "5", "spec.schedule.every: Invalid value: "),
    ("spec.source.http.baseURL", "ftp://api", "spec.source.http.baseURL: Invalid value: "),
    ("spec.source.http.baseURL", "https://user:pw@api", "spec.source.http.baseURL: Invalid value: "),
    ("spec.source.http.baseURL", ..., "spec.source.http.baseURL: Required value"),
    ("spec.source.http.records", "a[", "spec.source.http.records: 'a[' is not a JMESPath expression: "),
    (
        "spec.source.http.auth",
        {},
        "spec.source.http.auth: Invalid value: exactly one of basic, bearer, apiKey, oauth2, jwt, session, hmac must be set",
    ),
    (
        "spec.source.http.auth",
        {"apiKey": {"secretRef": {"name": "a"}}},
        "spec.source.http.auth.apiKey: Invalid value: exactly one of header, query and cookie must be set",
    ),
    (
        "spec.source.http.pagination.link",
        {},
        "spec.source.http.pagination: Invalid value: exactly one of page, offset, cursor, link, nextURL, keyset, none must be set",
    ),
    ("spec.source.http.request.body", {"a": 1}, "spec.source.http.request: Invalid value: body needs method POST"),
    ("spec.fields.1.type", "money", "spec.fields[1].type: Invalid value: "),
    ("spec.fields.1.type", "decimal(2,5)", "spec.fields[1].type: 'decimal(2,5)': the scale must not be larger than the precision"),
    ("spec.fields.1.name", "booking_no", 'spec.fields[1]: Duplicate value: {"name":"booking_no"}'),
    ("spec.fields.0.timeZone", "UTC", "spec.fields[0]: Invalid value: timeZone is only for timestamps"),
    ("spec.keys.0.fields", ["phone"], "spec.keys: Invalid value: every key field must be one of spec.fields"),
    ("spec.keys", [], "spec.keys: Invalid value: 0: spec.keys in body should have at least 1 items"),
    (
        "spec.keys",
        [{"fields": ["booking_no"], "normalize": {"total": "digits"}}],
        "spec.keys[0].normalize: Invalid value: what is normalized must be",
    ),
    (
        "spec.keys",
        [{"fields": ["booking_no"], "normalize": {"booking_no": "digit"}}],
        "spec.keys[0].normalize.booking_no: Unsupported value",
    ),
    ("spec.keys", [{"fields": ["booking_no"]}] * 9, "spec.keys: Too many: 9: must have at most 8 items"),
    (
        "spec.write",
        {"onExisting": "Replace"},
        'spec.write.onExisting: Unsupported value: "Replace": supported values: "Update", "Skip", "Merge"',
    ),
    (
        "spec.write",
        {"onMissing": "Skip", "onExisting": "Skip"},
        "spec.write: Invalid value: with onMissing Skip and onExisting Skip nothing would ever be written",
    ),
    ("spec.write", {"onMissing": "Skip"}, "spec.write.onMissing: Invalid value: onMissing Skip never fills a table that it creates"),
    ("spec.write", {"protect": ["phone"]}, "spec.write.protect: Invalid value: every protected column must be one of spec.fields"),
    ("spec.write", {"protect": ["booking_no"]}, "spec.write.protect: Invalid value: the columns of a single key are never changed"),
    (
        "spec.write",
        {"skipIf": [{"existsIn": "reports", "match": ["phone"]}]},
        "spec.write.skipIf: Invalid value: every name in match must be one of spec.fields",
    ),
    ("spec.write", {"skipIf": [{"existsIn": "reports", "match": []}]}, "spec.write.skipIf[0].match: Invalid value: 0: "),
    ("spec.safety", {"maxChanged": "130%"}, "spec.safety.maxChanged: Invalid value: "),
    ("spec.safety", {"minRows": -1}, "spec.safety.minRows: Invalid value: -1: "),
    ("spec.safety", {"undo": {}}, "spec.safety.undo.keep: Required value"),
    ("spec.safety", {"undo": {"keep": "0s"}}, 'spec.safety.undo.keep: Invalid value: "0s": must be longer than 0s'),
    ("spec.safety", {"verify": {}}, "spec.safety.verify.every: Required value"),
    ("spec.safety", {"verify": {"every": "500ms"}}, "spec.safety.verify.every: Invalid value: every must be at least 1s"),
    ("spec.safety", {"verify": {"every": "1d", "sample": 0}}, "spec.safety.verify.sample: Invalid value: 0: "),
    (
        "spec.safety",
        {"transaction": "Page"},
        'spec.safety.transaction: Unsupported value: "Page": supported values: "Run", "Batch"',
    ),
    ("spec.safety", {"transaction": "Batch", "batchRows": 0}, "spec.safety.batchRows: Invalid value: 0: "),
    ("spec.safety", {"batchRows": 5}, "spec.safety.batchRows: Invalid value: batchRows is for transaction Batch"),
    (
        "spec.safety",
        {"transaction": "Batch", "maxChanged": "30%"},
        "spec.safety.maxChanged: Invalid value: how many rows change is not known before the first batch is committed: let transaction be Run",
    ),
    (
        "spec.safety",
        {"transaction": "Batch", "minRows": 1},
        "spec.safety.minRows: Invalid value: how many rows there are is not known before the first batch is committed: let transaction be Run",
    ),
    ("spec.write", {"onAbsent": "SoftDelete"}, "spec.write: Invalid value: softDelete names the column for onAbsent SoftDelete"),
    ("spec.write", {"softDelete": {"column": "x"}}, "spec.write: Invalid value: softDelete names the column for onAbsent SoftDelete"),
    (
        "spec.write",
        {"onAbsent": "SoftDelete", "softDelete": {"column": "x"}, "onExisting": "Skip"},
        "spec.write.onExisting: Invalid value: onExisting Skip leaves rows alone",
    ),
    ("spec.validation", {"maxInvalid": "150%"}, "spec.validation.maxInvalid: Invalid value: "),
    ("spec.partitions", {}, "spec.partitions: Invalid value: exactly one of values and from must be set"),
    (
        "spec.partitions",
        {"values": []},
        "spec.partitions.values: Invalid value: 0: spec.partitions.values in body should have at least 1 items",
    ),
    ("spec.partitions", {"values": ["a", "a"]}, 'spec.partitions.values[1]: Duplicate value: "a"'),
    ("spec.partitions", {"values": ["a"], "parallelism": 33}, "spec.partitions.parallelism: Invalid value: 33: "),
    ("spec.partitions", {"from": {"table": "stores"}}, "spec.partitions.from.column: Required value"),
    (
        "spec.incremental.window",
        {"size": "30s", "start": "2020-01-01"},
        'spec.incremental.window.size: Invalid value: "30s": must be at least 1m',
    ),
    ("spec.incremental.window", {"size": "30d", "start": "1577836800"}, "spec.incremental.window.start: Invalid value: "),
    (
        "spec.incremental.window",
        {"size": "30d", "start": "2020-02-30"},
        "spec.incremental.window.start: '2020-02-30' is not an instant or a date",
    ),
    ("spec.timeout", "0s", 'spec.timeout: Invalid value: "0s": must be longer than 0s'),
    ("spec.destination.sql.table", ..., "spec.destination.sql.table: Required value"),
    ("metadata.name", "Bookings", 'metadata.name: Invalid value: "Bookings": a lowercase RFC 1123 subdomain'),
]


@pytest.mark.parametrize(("path", "value", "message"), CASES, ids=[f"{path}={value}"[:60] for path, value, _ in CASES])
def test_what_is_wrong_is_named_with_its_path(path: str, value: Any, message: str) -> None:
    found = [str(problem) for problem in problems(changed(path, value))]
    assert any(text.startswith(message) for text in found), found


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("spec.safety", {"minRows": 1}, "spec.safety.minRows: Invalid value: minRows is about reading everything at once"),
        (
            "spec.write",
            {"onAbsent": "Delete"},
            "spec.write.onAbsent: Invalid value: what is absent is known after reading everything at once",
        ),
    ],
)
def test_windows_are_no_complete_read(path: str, value: Any, message: str) -> None:
    manifest = changed("spec.incremental.window", {"size": "30d", "start": "2020-01-01"})
    manifest["spec"]["incremental"]["endParam"] = "before"
    assert problems(manifest) == []
    manifest["spec"][path.removeprefix("spec.")] = value
    assert [str(problem)[: len(message)] for problem in problems(manifest)] == [message]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("write", {"onAbsent": "Delete"}, "spec.write.onAbsent: Invalid value: what is absent is not known before"),
        ("validation", {"maxInvalid": "5%"}, "spec.validation.maxInvalid: Invalid value: how many records are invalid is not known before"),
        ("validation", {"onInvalid": "Fail"}, "spec.validation.onInvalid: Invalid value: whether a record is invalid is not known before"),
    ],
)
def test_what_is_known_after_reading_everything_is_not_for_batches(path: str, value: Any, message: str) -> None:
    manifest = changed("spec.safety", {"transaction": "Batch", "batchRows": 500, "undo": {"keep": "1d"}})
    manifest["spec"] |= {"validation": {"onInvalid": "Quarantine"}, "write": {"onAbsent": "Ignore"}}
    assert problems(manifest) == []
    manifest["spec"][path] = value
    [problem] = map(str, problems(manifest))
    assert problem.startswith(f"{message} the first batch is committed: let safety.transaction be Run, or ")
    manifest["spec"]["safety"] = {"transaction": "Run"}
    assert problems(manifest) == []


def test_the_table_is_immutable() -> None:
    causes = CustomResourceValidator(crd()).admit(changed("spec.destination.sql.table", "other"), VALID).causes
    assert [str(cause) for cause in causes] == ["spec.destination.sql.table: Invalid value: table is immutable"]


@pytest.mark.parametrize("manifest", [{}, {"kind": "Secret"}, {"apiVersion": "syncsource.dev/v1", "kind": "SyncSource"}])
def test_another_kind_is_told_apart(manifest: dict[str, Any]) -> None:
    assert [problem.field for problem in problems(manifest)] == ["kind"]


def test_parse_lists_every_problem_at_once() -> None:
    broken = changed("spec.schedule", {"cron": "99 * * * *"})
    broken["spec"]["timeout"] = "soon"
    with pytest.raises(StalledError) as caught:
        parse(broken)
    assert caught.value.reason == "InvalidSpec"
    assert "spec.schedule.cron: " in caught.value.message
    assert "spec.timeout: " in caught.value.message


def test_spec_names_the_secrets_it_needs() -> None:
    spec = parse(VALID).spec
    assert spec.secret_keys == [("rental-api", "username"), ("rental-api", "password"), ("db", "url")]
    assert spec.secret_names == {"rental-api", "db"}


def test_a_status_of_another_version_is_read_without_complaint() -> None:
    assert SyncSourceStatus.model_validate({"observedGeneration": 3, "later": {"x": 1}}).observed_generation == 3


def test_spec_survives_a_round_trip() -> None:
    spec = parse(VALID).spec
    assert SyncSourceSpec.model_validate(spec.model_dump(by_alias=True, mode="json", exclude_none=True)) == spec


def test_lists_have_no_defaults_so_that_applying_the_same_again_changes_nothing() -> None:
    assert admitted(VALID)["spec"]["fields"] == VALID["spec"]["fields"]


def test_a_broken_shape_says_that_more_may_be_wrong() -> None:
    broken = changed("spec.suspend", "yes")
    assert str(problems(broken)[-1]) == "more may be wrong: the rules that span fields are checked once these problems are mended"


@pytest.mark.parametrize("name", ["partitions", "writing"])
def test_the_manifest_of_a_page_is_valid(name: str) -> None:
    page = (ROOT / "docs" / f"{name}.md").read_text()
    assert problems(yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])) == []
