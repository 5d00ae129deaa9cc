"""Which schemas and rules a CustomResourceDefinition may have: the answers of Kubernetes 1.36, case by case and word by word."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.admission.jsonschema import WrongShape, check_shape
from syncsource.localplane.admission.objectmeta import validate_metadata
from syncsource.localplane.admission.validator import check_versions
from syncsource.localplane.registry.definition_checks import check
from syncsource.localplane.registry.definitions import complete
from syncsource.localplane.registry.naming import accepted_status

DATA, LOADER = Path(__file__).parent / "data", getattr(yaml, "CSafeLoader", yaml.SafeLoader)
CASES = yaml.load((DATA / "definitions.yaml").read_text(), Loader=LOADER)
SPECS = yaml.load((DATA / "definition_specs.yaml").read_text(), Loader=LOADER)
NOT_RUN_HERE = ("format.named(", "string(ip(", "string(cidr(", ".indexOf(", ".lastIndexOf(")  # of lists; known in Kubernetes
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
    answer = _answer(case["schema"])
    if any(name in str(case["schema"]) for name in NOT_RUN_HERE):
        assert "this server cannot run it" in str(answer)
    else:
        assert {"schema": case["schema"], **answer} == case


def _full(case: dict[str, Any]) -> dict[str, Any]:
    crd = copy.deepcopy({"metadata": case["metadata"], "spec": case["spec"]})
    complete(crd["spec"])
    return crd


def _causes(case: dict[str, Any]) -> list[str]:
    return sorted({f"{found.field} {found.reason} {found.message}" for found in check(_full(case))})


@pytest.mark.parametrize("case", SPECS, ids=[case["case"] for case in SPECS])
def test_names_versions_columns_and_the_like_get_the_answer_that_kubernetes_gives(case: dict[str, Any]) -> None:
    found = [*_causes(case), *(_metadata(case) if "name" in case["case"] else [])]
    assert sorted(set(found)) == case.get("causes", [])


def _metadata(case: dict[str, Any]) -> list[str]:
    return [f"{found.field} {found.reason} {found.message}" for found in validate_metadata(case["metadata"])]


def _stored(*versions: tuple[str, bool]) -> dict[str, Any]:
    made = [
        {"name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": {"type": "object"}}} for name, storage in versions
    ]
    spec = {"group": "example.dev", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"}, "versions": made}
    crd = {"metadata": {"name": "things.example.dev"}, "spec": spec}
    complete(crd["spec"])
    return {**crd, "status": accepted_status(crd, [], "2026-01-01T00:00:00Z")}


GONE = (
    'Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a '
    "storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions"
)


def test_a_version_that_objects_may_be_stored_as_can_not_go() -> None:
    old = _stored(("v1", True), ("v2", False))
    assert [str(found) for found in check(_stored(("v1", False), ("v2", True)), old)] == []
    assert [str(found) for found in check(_stored(("v2", True)), old)] == [f"status.storedVersions[0]: {GONE}"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scope": "Cluster"}, 'spec.scope: Invalid value: "Cluster": field is immutable'),
        ({"group": "x.dev"}, 'spec.group: Invalid value: "x.dev": field is immutable'),
        (
            {"names": {"plural": "things", "kind": "Other", "singular": "other", "listKind": "OtherList"}},
            'spec.names.kind: Invalid value: "Other": field is immutable',
        ),
        (
            {"names": {"plural": "others", "kind": "Thing", "singular": "thing", "listKind": "ThingList"}},
            'spec.names.plural: Invalid value: "others": field is immutable',
        ),
    ],
)
def test_what_an_established_definition_keeps(change: dict[str, Any], message: str) -> None:
    old = _stored(("v1", True))
    assert [str(found) for found in check({**old, "spec": {**old["spec"], **change}}, old)] == [message]
