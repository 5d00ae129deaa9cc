"""The forms in which answers are given, and what is said where there is none that the client takes."""

from __future__ import annotations

import pytest

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
ACCEPTED = "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf"


def _body(name: str) -> dict:
    return {"apiVersion": "conformance.example.dev/v1alpha1", "kind": "Widget", "metadata": {"name": name}, "spec": {"colour": "red"}}


@pytest.mark.parametrize(
    "accept",
    ["text/html", "application/cbor", "application/vnd.kubernetes.protobuf", f"{TABLE}x", "application/json;as=Table;v=v9;g=meta.k8s.io"],
)
def test_what_no_client_gets_is_refused_before_it_is_written(http, widgets, accept) -> None:
    headers = {"Accept": accept}
    for refused in (http.get(widgets, headers=headers), http.post(widgets, json=_body("unheard"), headers=headers)):
        assert (refused.status_code, refused.json()["reason"], refused.json()["message"]) == (406, "NotAcceptable", ACCEPTED)
    assert http.get(f"{widgets}/unheard").status_code == 404


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/*", "text/html,*/*;q=0.8", "application/cbor,application/json", f"{TABLE}x,application/json"]
)
def test_one_form_that_is_taken_is_enough(http, widgets, accept) -> None:
    assert http.get(widgets, headers={"Accept": accept}).json()["kind"] == "WidgetList"


def test_a_watch_is_not_in_yaml(http, widgets) -> None:
    refused = http.get(widgets, params={"watch": "1"}, headers={"Accept": "application/yaml"})
    assert refused.status_code == 406
    assert "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch" in " ".join(refused.text.split())


def test_writes_are_answered_as_tables_and_metadata_too(http, widgets, new_widget) -> None:
    made = http.post(widgets, json=_body("tabled"), headers={"Accept": TABLE})
    assert (made.status_code, made.json()["kind"], made.json()["rows"][0]["cells"][0]) == (201, "Table", "tabled")
    partial = http.post(widgets, json=_body("unwritten"), params={"dryRun": "All"}, headers={"Accept": PARTIAL}).json()
    assert (partial["kind"], partial["metadata"]["name"], "spec" in partial) == ("PartialObjectMetadata", "unwritten", False)
    swept = http.delete(widgets, params={"fieldSelector": "metadata.name=tabled"}, headers={"Accept": TABLE}).json()
    assert [row["object"]["metadata"]["name"] for row in swept["rows"]] == ["tabled"]


def test_rows_come_with_what_is_asked_for(http, widgets, new_widget) -> None:
    path = f"{widgets}/{new_widget()['metadata']['name']}"
    kinds = {
        include: http.get(path, params={"includeObject": include}, headers={"Accept": TABLE}).json()["rows"][0]["object"]
        for include in ("None", "Metadata", "Object", "")
    }
    assert kinds["None"] is None
    assert [kinds[name]["kind"] for name in ("Metadata", "Object", "")] == ["PartialObjectMetadata", "Widget", "PartialObjectMetadata"]
    refused = http.get(path, params={"includeObject": "All"}, headers={"Accept": TABLE})
    assert refused.status_code == 400
    assert refused.json()["message"].endswith("includeObject: Invalid value: \"All\": must be 'Metadata', 'Object', 'None', or empty")
