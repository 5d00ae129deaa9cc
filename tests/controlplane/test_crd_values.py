"""Which values a schema allows, and how they are stored: the answers of Kubernetes 1.36, case by case and word by word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from syncsource.localplane.admission import CustomResourceValidator

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
VALUES = yaml.load((Path(__file__).parent / "data" / "values.yaml").read_text(), Loader=LOADER)
DEFAULTS = {"def": "q", "nuld": "q"}


def _validator(spec: dict[str, Any]) -> CustomResourceValidator:
    schema = {"type": "object", "properties": {"spec": spec}}
    versions = [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]
    return CustomResourceValidator({"spec": {"group": "example.dev", "names": {"kind": "Thing"}, "versions": versions}})


def _thing(spec: Any) -> dict[str, Any]:
    return {"apiVersion": "example.dev/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec}


VALIDATOR = _validator(VALUES["schema"])


@pytest.mark.parametrize("case", VALUES["cases"], ids=lambda case: repr(case["spec"])[:40])
def test_a_value_gets_the_answer_that_kubernetes_gives(case: dict[str, Any]) -> None:
    admitted = VALIDATOR.admit(_thing(case["spec"]))
    assert sorted({f"{found.field} {found.reason} {found.message}" for found in admitted.causes}) == case.get("causes", [])
    if "causes" not in case:
        stored = admitted.object["spec"]
        assert {name: value for name, value in stored.items() if (name, value) not in DEFAULTS.items()} == case.get("stored", case["spec"])


CHANGES = [
    ({"s": "BAD", "i": 5}, {"s": "BAD", "i": 6}, []),
    ({"s": "BAD"}, {"s": "WORSE"}, ["spec.s"]),
    ({"l": [1, 2, 3]}, {"l": [1, 2, 3], "i": 1}, []),
    ({"l": ["a"]}, {"l": ["a", 2]}, ["spec.l[0]"]),
    ({"lm": [{"k": "a", "v": "long"}]}, {"lm": [{"k": "a", "v": "long"}, {"k": "b"}]}, []),
    ({"lm": [{"k": "a", "v": "long"}]}, {"lm": [{"k": "b", "v": "long"}]}, ["spec.lm[0].v"]),
    ({"o": {}}, {"o": {}, "i": 1}, []),
    ({"m": {"a": "long"}}, {"m": {"a": "long", "b": "ok"}}, []),
]


@pytest.mark.parametrize(("before", "after", "paths"), CHANGES)
def test_what_was_wrong_before_may_stay_but_not_change(before, after, paths) -> None:
    old = VALIDATOR.admit(_thing(before))
    assert old.causes != ()
    assert [found.field for found in VALIDATOR.admit(_thing(after), old.object).causes] == paths
