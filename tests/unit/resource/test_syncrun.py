"""A SyncRun's rules: the same by the schema, which API servers check, and by the model, which the operator checks."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from syncsource.localplane.admission import CustomResourceValidator
from syncsource.resource.crd import crd
from syncsource.resource.runstatus import SyncRunStatus
from syncsource.resource.syncrun import ACTIONS, TAKES, SyncRunSpec
from syncsource.resource.validation import problems

ROOT = Path(__file__).resolve().parents[3]
CHOSEN = ("RetryQuarantined", "DiscardQuarantined", "ResolveConflict")
NEEDED: dict[str, dict[str, Any]] = {
    "RetryQuarantined": {"all": True},
    "DiscardQuarantined": {"ids": ["abcd"]},
    "ResolveConflict": {"all": True, "resolve": "Source"},
}
VALUES: dict[str, Any] = {
    "run": "abc", "rewind": True, "backup": "2026", "fix": True, "keep": "Lowest", "by": "id", "dryRun": True, "sample": 5, "limit": 5,
    "ids": ["abcd"], "all": True, "resolve": "Source",
}  # fmt: skip


@pytest.fixture(scope="module")
def validator() -> CustomResourceValidator:
    return CustomResourceValidator(crd("SyncRun"), checked=True)


def run(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "x", "namespace": "default"}
    return {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncRun", "metadata": metadata, "spec": {"source": "orders", **spec}}


def by_model(spec: dict[str, Any]) -> str:
    try:
        SyncRunSpec.model_validate(spec)
    except ValidationError as error:
        return str(error.errors()[0]["msg"]).removeprefix("Value error, ")
    return ""


def by_schema(validator: CustomResourceValidator, manifest: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    admitted = validator.admit(manifest, old) if old else validator.admit(manifest)
    assert not admitted.unknown
    return [str(cause) for cause in admitted.causes]


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_takes_its_parameters_and_no_other(validator: CustomResourceValidator, action: str) -> None:
    plain = run(action=action, **NEEDED.get(action, {}))
    assert (by_schema(validator, plain), by_model(plain["spec"])) == ([], "")
    for name, actions in TAKES.items():
        if action not in actions:
            wrong = run(**{**plain["spec"], name: VALUES[name]})
            [told] = by_schema(validator, wrong)
            assert told.startswith(f"spec.{name}: Invalid value: {name} is for ")
            assert told.endswith(f", not for {action}: remove it, or change action")
            assert by_model(wrong["spec"]) == told.partition("Invalid value: ")[2]


@pytest.mark.parametrize("action", CHOSEN)
@pytest.mark.parametrize("chosen", [{}, {"all": False}, {"all": True, "ids": ["abcd"]}])
def test_what_is_meant_must_be_said(validator: CustomResourceValidator, action: str, chosen: dict[str, Any]) -> None:
    side = {"resolve": "Destination"} if action == "ResolveConflict" else {}
    wrong = run(action=action, **chosen, **side)
    message = "say which records or conflicts: ids, or all: true, and not both"
    assert by_schema(validator, wrong) == [f"spec.ids: Invalid value: {message}"]
    assert by_model(wrong["spec"]) == message


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"action": "ResolveConflict", "all": True}, "spec.resolve: Invalid value: resolve must be Source or Destination"),
        (
            {"action": "Duplicates", "keep": "Highest"},
            "spec.fix: Invalid value: keep, by and dryRun of action Duplicates say what fix does",
        ),
        ({"action": "Duplicates", "fix": False, "by": "id"}, "spec.fix: Invalid value: keep, by and dryRun"),
        ({"action": "Duplicates", "dryRun": True}, "spec.fix: Invalid value: keep, by and dryRun"),
        ({"action": "Backfill"}, 'spec.action: Unsupported value: "Backfill": supported values: "Sync", "FullRefresh", "Preview"'),
        ({"action": "Undo", "run": "%"}, "spec.run: Invalid value: "),
        ({"action": "Preview", "limit": 0}, "spec.limit: Invalid value: "),
        ({"action": "RetryQuarantined", "ids": []}, "spec.ids: Invalid value: "),
        ({"action": "RetryQuarantined", "ids": ["abc"]}, "spec.ids[0]: Invalid value: "),
        ({"action": "RetryQuarantined", "ids": ["abcd", "abcd"]}, "spec.ids[1]: Duplicate value: "),
        ({"action": "Sync", "ttl": "soon"}, "spec.ttl: Invalid value: "),
    ],
)
def test_what_is_wrong_is_told(validator: CustomResourceValidator, spec: dict[str, Any], told: str) -> None:
    assert by_schema(validator, run(**spec))[0].startswith(told)
    assert by_model(run(**spec)["spec"]) or spec.get("ids") == ["abcd", "abcd"]  # which the operator would try once


def test_a_spec_is_immutable(validator: CustomResourceValidator) -> None:
    old = dict(validator.admit(run(action="Undo")).object)
    assert by_schema(validator, old, old) == []
    changed = {**old, "spec": {**old["spec"], "rewind": True}}
    [told] = by_schema(validator, changed, old)
    assert told == "spec: Invalid value: a SyncRun's spec is immutable: create another SyncRun"


def test_it_is_kept_for_an_hour_unless_it_says_otherwise(validator: CustomResourceValidator) -> None:
    assert validator.admit(run(action="Sync")).object["spec"]["ttl"] == "1h"
    assert SyncRunSpec.model_validate({"source": "a", "action": "Sync", "ttl": "0s"}).ttl == timedelta()


@pytest.mark.parametrize(
    ("spec", "writes"),
    [
        ({"action": "Undo"}, True),
        ({"action": "Undo", "dryRun": True}, False),
        ({"action": "Duplicates"}, False),
        ({"action": "Duplicates", "fix": True}, True),
        ({"action": "Verify"}, False),
        ({"action": "Sync"}, True),
    ],
)
def test_what_writes(spec: dict[str, Any], writes: bool) -> None:
    assert SyncRunSpec.model_validate({"source": "a", **spec}).writes is writes


@pytest.mark.parametrize("file", ["docs/syncrun.md", "manifests/samples/syncruns.yaml"])
def test_what_the_docs_show_is_valid(validator: CustomResourceValidator, file: str) -> None:
    text = (ROOT / file).read_text()
    manifests = list(yaml.safe_load_all(text.split("```yaml\n")[1].split("```")[0] if file.endswith(".md") else text))
    assert manifests
    for manifest in manifests:
        named = {**manifest, "metadata": {"name": "x", "namespace": "default"}}
        assert (by_schema(validator, named), by_model(manifest["spec"])) == ([], "")


def test_manifests_are_checked_offline_in_the_same_words() -> None:
    manifest = run(action="DiscardQuarantined", rewind=True)
    manifest["metadata"] = {"generateName": "discard-"}
    assert [str(problem) for problem in problems(manifest)] == [
        "spec.rewind: Invalid value: rewind is for Undo, not for DiscardQuarantined: remove it, or change action",
        "spec.ids: Invalid value: say which records or conflicts: ids, or all: true, and not both",
    ]
    manifest["spec"] = {"source": "a", "action": "Sync"}
    assert problems(manifest) == []


def test_the_page_tells_of_every_action_and_parameter() -> None:
    rows = {row.split("`")[1]: row for row in (ROOT / "docs/syncrun.md").read_text().splitlines() if row.startswith("| `")}
    for action in ACTIONS:
        told = [name for name, actions in TAKES.items() if action in actions]
        assert [name for name in told if f"`{name}" not in rows[action] and f" {name}" not in rows[action]] == []


def test_a_status_of_another_version_is_read_without_complaint() -> None:
    assert SyncRunStatus.model_validate({"phase": "Running", "later": 1}).phase == "Running"
