"""What a manifest may say of source.csv, and what it is told otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from syncsource.resource.csvsource import check_encoding
from syncsource.resource.spec import SyncSourceSpec
from syncsource.resource.validation import admitted, problems
from tests.unit.resource.test_crd import VALID


def manifest(csv: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """Of a SyncSource of files, without schedule and increments unless ``spec`` says so."""
    kept = {name: value for name, value in VALID["spec"].items() if name not in ("schedule", "incremental", "source")}
    return {**VALID, "spec": {**kept, "source": {"csv": csv}, **spec}}


@pytest.mark.parametrize(
    "csv",
    [
        {},
        {"path": "exports/**/*.csv", "encoding": "cp1252", "delimiter": "\t", "quote": "", "escape": "\\", "comment": "#"},
        {"path": "a.csv", "header": False, "columns": ["a", "b"], "skipLines": 3, "nullValues": [], "trim": True, "onRagged": "Fill"},
        {"download": {"url": "https://shop.example/export.csv", "auth": {"bearer": {"secretRef": {"name": "shop"}}}}, "members": "*.csv"},
    ],
)
def test_what_may_be_said(csv: dict[str, Any]) -> None:
    assert problems(manifest(csv)) == []


def test_the_usual_file_needs_no_options() -> None:
    spec = SyncSourceSpec.model_validate(admitted(manifest({"path": "a.csv"}))["spec"])
    assert spec.source.csv is not None
    assert (spec.source.csv.quote, spec.source.csv.header, spec.source.csv.null_values) == ('"', True, [""])


@pytest.mark.parametrize(
    ("csv", "spec", "problem"),
    [
        ({"header": False}, {}, "spec.source.csv.columns: columns must be named where header is false, and only there"),
        ({"columns": ["a"]}, {}, "spec.source.csv.columns: columns must be named where header is false, and only there"),
        ({"header": False, "columns": ["a", "a"]}, {}, 'spec.source.csv.columns[1]: Duplicate value: "a"'),
        ({"delimiter": '"'}, {}, "spec.source.csv.delimiter: delimiter and quote must differ"),
        ({"delimiter": ",", "escape": ","}, {}, "spec.source.csv.escape: escape and delimiter must differ"),
        ({"escape": '"'}, {}, "spec.source.csv.escape: a quote is escaped by doubling it already"),
        ({"comment": '"'}, {}, "spec.source.csv.comment: comment and quote must differ"),
        ({"encoding": "klingon"}, {}, "spec.source.csv.encoding: 'klingon' is not a text encoding, such as utf-8, cp1252 or utf-16"),
        (
            {"path": "a.csv", "download": {"url": "https://shop.example/a.csv"}},
            {},
            "spec.source.csv.path: at most one of path and download may be set",
        ),
        (
            {},
            {"schedule": {"every": "5m"}},
            "spec.schedule: source.csv without path and download is fed by `syncsource import`: remove schedule, or set one of them",
        ),
        (
            {},
            {"safety": {"verify": {"every": "1d"}}},
            "spec.safety.verify: files that `syncsource import` hands over are not there to be read again: remove safety.verify",
        ),
        (
            {"path": "a.csv"},
            {"incremental": {"cursor": "a"}},
            "spec.source.csv: files are read whole, each once: incremental and partitions are not for source.csv",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_field(csv: dict[str, Any], spec: dict[str, Any], problem: str) -> None:
    told = [str(found) for found in problems(manifest(csv, **spec))]
    assert any(one.startswith(problem.partition(":")[0]) and problem.partition(": ")[2] in one for one in told), told


@pytest.mark.parametrize("name", ["delimiter", "escape", "comment"])
@pytest.mark.parametrize("value", ["", ",,", "\n", "\r"])
def test_separators_are_one_character_and_no_newline(name: str, value: str) -> None:
    assert [problem.field for problem in problems(manifest({name: value}))][:1] == [f"spec.source.csv.{name}"]


@pytest.mark.parametrize("name", ["base64", "rot13", "idna", "undefined", "unicode_escape", "zip", "nowhere", "utf-7", "a" * 40])
def test_codecs_that_are_no_text_encodings_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a text encoding"):
        check_encoding(name)


def test_a_rate_limit_is_about_the_host_of_the_download() -> None:
    download = {"url": "https://Shop.example:8443/a.csv", "rateLimit": {"requests": 1, "per": "1s"}}
    spec = SyncSourceSpec.model_validate(manifest({"download": download})["spec"])
    assert list(spec.source.chosen.limits) == ["shop.example"]
