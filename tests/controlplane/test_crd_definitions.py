"""Which schemas and rules a CustomResourceDefinition may have: the answers of Kubernetes 1.36, case by case and word by word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.admission.jsonschema import WrongShape, check_shape
from syncsource.localplane.admission.validator import check_versions

CASES = yaml.load((Path(__file__).parent / "data" / "definitions.yaml").read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
ROOT = "spec.validation.openAPIV3Schema"
PROPERTY = f"{ROOT}.properties[spec].properties[x]"
ADVICE = "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"


def _definition(schema: dict[str, Any]) -> dict[str, Any]:
    root = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"x": schema}}}}
    return {"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": root}}]}}


def _short(found: Cause) -> str:
    path = found.field.replace(PROPERTY, "X").replace(ROOT, "ROOT")
    return f"{path} {found.reason} {found.message.replace(PROPERTY, 'X').replace(ADVICE, 'ADVICE')}"


def _answer(schema: dict[str, Any]) -> dict[str, Any]:
    definition = _definition(schema)
    try:
        check_shape(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"], "spec.versions.schema.openAPIV3Schema")
    except WrongShape as wrong:
        return {"malformed": str(wrong)}
    causes = sorted({_short(found) for found in check_versions(definition)})
    return {"causes": causes} if causes else {}


@pytest.mark.parametrize("case", CASES, ids=[str(number) for number in range(len(CASES))])
def test_a_definition_gets_the_answer_that_kubernetes_gives(case: dict[str, Any]) -> None:
    assert {"schema": case["schema"], **_answer(case["schema"])} == case
