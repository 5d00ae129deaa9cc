"""Parameters, selectors and preconditions that are refused; the expected words are those of Kubernetes 1.36."""

from __future__ import annotations

import pytest

MERGE = {"Content-Type": "application/merge-patch+json"}
APPLY = {"Content-Type": "application/apply-patch+yaml"}
LONG = "x" * 129


def _said(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"]


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"dryRun": "Some"}, 'dryRun: Unsupported value: ["Some"]: supported values: "All"'),
        ({"dryRun": ""}, 'dryRun: Unsupported value: [""]: supported values: "All"'),
        (
            {"fieldValidation": "Bogus"},
            'fieldValidation: Unsupported value: "Bogus": supported values: "", "Ignore", "Strict", "Warn"',
        ),
        ({"fieldManager": LONG}, "fieldManager: Too long: may not be more than 128 bytes"),
    ],
)
@pytest.mark.parametrize(("method", "kind"), [("POST", "CreateOptions"), ("PUT", "UpdateOptions"), ("PATCH", "PatchOptions")])
def test_options_of_a_write(http, widgets, method, kind, params, why) -> None:
    path = widgets if method == "POST" else f"{widgets}/any"
    body = {"apiVersion": "conformance.example.dev/v1alpha1", "kind": "Widget", "metadata": {"name": "any"}, "spec": {"colour": "red"}}
    refused = http.request(method, path, json=body, params=params, headers=MERGE if method == "PATCH" else None)
    assert _said(refused) == (422, f'{kind}.meta.k8s.io "" is invalid: {why}')
    assert refused.json()["details"]["kind"] == kind


@pytest.mark.parametrize(
    ("headers", "params", "why"),
    [
        (APPLY, {}, "fieldManager: Required value: is required for apply patch"),
        (MERGE, {"force": "true"}, "force: Forbidden: may not be specified for non-apply patch"),
    ],
)
def test_force_and_manager_belong_to_applies(http, widgets, headers, params, why) -> None:
    refused = http.patch(f"{widgets}/any", json={}, headers=headers, params=params)
    assert _said(refused) == (422, f'PatchOptions.meta.k8s.io "" is invalid: {why}')


@pytest.mark.parametrize(
    ("body", "code", "why"),
    [
        ({"dryRun": ["X"]}, 422, 'dryRun: Unsupported value: ["X"]: supported values: "All"'),
        (
            {"propagationPolicy": "X"},
            422,
            'propagationPolicy: Unsupported value: "X": supported values: "Foreground", "Background", "Orphan", "nil"',
        ),
        (
            {"propagationPolicy": "Orphan", "orphanDependents": True},
            422,
            'propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
        ),
        (
            {"gracePeriodSeconds": "x"},
            400,
            "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
        ),
        (
            {"preconditions": "x"},
            400,
            "json: cannot unmarshal string into Go struct field DeleteOptions.preconditions of type v1.Preconditions",
        ),
    ],
)
@pytest.mark.parametrize("collection", [False, True], ids=["one", "all"])
def test_options_of_a_deletion(http, widgets, new_widget, collection, body, code, why) -> None:
    widget = new_widget(labels={"kept": "yes"})
    path = f"{widgets}/{widget['metadata']['name']}"
    refused = http.request("DELETE", widgets if collection else path, json=body, params={"labelSelector": "kept"} if collection else None)
    prefix = 'DeleteOptions.meta.k8s.io "" is invalid: ' if code == 422 else ""
    assert _said(refused) == (code, prefix + why)
    assert http.get(path).status_code == 200


def test_a_grace_period_is_a_number(http, widgets, new_widget) -> None:
    path = f"{widgets}/{new_widget()['metadata']['name']}"
    assert _said(http.delete(path, params={"gracePeriodSeconds": "x"})) == (400, 'strconv.ParseInt: parsing "x": invalid syntax')


def test_preconditions_of_a_deletion_say_what_they_found(http, widgets, new_widget) -> None:
    metadata = new_widget()["metadata"]
    path = f"{widgets}/{metadata['name']}"
    prefix = f'Operation cannot be fulfilled on Widget.conformance.example.dev "{metadata["name"]}": '
    uid = http.request("DELETE", path, json={"preconditions": {"uid": "x"}})
    assert _said(uid) == (
        409,
        f"{prefix}the UID in the precondition (x) does not match the UID in record ({metadata['uid']})."
        " The object might have been deleted and then recreated",
    )
    version = http.request("DELETE", path, json={"preconditions": {"resourceVersion": "1"}})
    assert _said(version) == (
        409,
        f"{prefix}the ResourceVersion in the precondition (1) does not match the ResourceVersion in record"
        f" ({metadata['resourceVersion']}). The object might have been modified",
    )


def test_what_is_on_its_way_out_cannot_be_created(http, widgets, new_widget) -> None:
    widget = new_widget(finalizers=["example.dev/hold"])
    name = widget["metadata"]["name"]
    http.delete(f"{widgets}/{name}")
    again = http.post(widgets, json={**widget, "metadata": {"name": name}})
    assert _said(again) == (409, f'object is being deleted: widgets.conformance.example.dev "{name}" already exists')
    http.patch(f"{widgets}/{name}", json={"metadata": {"finalizers": None}}, headers=MERGE)


def test_an_update_names_its_object_and_its_version(http, widgets, new_widget) -> None:
    widget = new_widget()
    name = widget["metadata"]["name"]
    nameless = http.put(f"{widgets}/{name}", json={**widget, "metadata": {}})
    assert _said(nameless) == (400, f"the name of the object ({name} based on URL) was undeterminable: name must be provided")
    for version in ("", "0"):
        refused = http.put(f"{widgets}/{name}", json={**widget, "metadata": {"name": name, "resourceVersion": version}})
        assert _said(refused) == (
            422,
            f'widgets.conformance.example.dev "{name}" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
        )


OPERATORS = "expected: in, notin, =, ==, !=, gt, lt"


@pytest.mark.parametrize(
    ("selector", "why"),
    [
        ("x in (1", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("x)(", f"unable to parse requirement: found ')', {OPERATORS}"),
        ("bad key", f"unable to parse requirement: found 'key', {OPERATORS}"),
        ("x!", f"unable to parse requirement: found '!', {OPERATORS}"),
        ("x in 1", "unable to parse requirement: found '1' expected: '('"),
        ("x in (a b)", "unable to parse requirement: found 'b', expected: ',' or ')'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("=1", "found '=', expected: !, identifier, or 'end of string'"),
        (",x=1", "found ',', expected: !, identifier, or 'end of string'"),
        ("x=1,", "found '', expected: identifier after ','"),
        ("x=1=2", "found '=', expected: ',' or 'end of string'"),
        ("x=1 y", "found 'y', expected: ',' or 'end of string'"),
        ("!x=1", "found '=', expected: ',' or 'end of string'"),
        ("x>a", "unable to parse requirement: values[0]: Invalid value: \"a\": for 'Gt', 'Lt' operators, the value must be an integer"),
    ],
)
@pytest.mark.parametrize("verb", ["list", "watch", "deletecollection"])
def test_label_selectors_that_cannot_be_read(http, widgets, selector, why, verb) -> None:
    params = {"labelSelector": selector, **({"watch": "1"} if verb == "watch" else {})}
    refused = http.request("DELETE" if verb == "deletecollection" else "GET", widgets, params=params)
    assert _said(refused) == (400, why)


@pytest.mark.parametrize("selector", ["in", "notin", "x in (in)", "x=in", "x  in  ( 1 , 2 )", "x in ()", "x in (1,,2)", "x!=", "x = 1"])
def test_label_selectors_that_look_odd_can_be_read(http, widgets, selector) -> None:
    assert http.get(widgets, params={"labelSelector": selector}).status_code == 200


@pytest.mark.parametrize(
    ("selector", "why"),
    [
        ("metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
        ("spec.colour>1", "invalid selector: 'spec.colour>1'; can't understand 'spec.colour>1'"),
        ("=a", "field label not supported: "),
        ("spec.nope=1", "field label not supported: spec.nope"),
        ("metadata.name=a=b", "invalid field selector: unescaped character in value: 61"),
        ("metadata.name=a\\x", "invalid field selector: invalid escape sequence: \\x"),
    ],
)
def test_field_selectors_that_cannot_be_read(http, widgets, selector, why) -> None:
    assert _said(http.get(widgets, params={"fieldSelector": selector})) == (400, why)


def test_a_comma_in_a_field_selector_is_escaped(http, widgets) -> None:
    assert http.get(widgets, params={"fieldSelector": "metadata.name=a\\,b"}).json()["items"] == []


def test_a_namespaced_kind_is_written_in_a_namespace_only(http, widgets) -> None:
    path = widgets.replace("/namespaces/default", "")
    assert path != widgets
    body = {"apiVersion": "conformance.example.dev/v1alpha1", "kind": "Widget", "metadata": {"name": "stays"}, "spec": {"colour": "red"}}
    assert http.post(widgets, json=body).status_code == 201
    for method in ("DELETE", "POST", "PUT", "PATCH"):
        refused = http.request(method, path, json=body, headers=MERGE if method == "PATCH" else None)
        assert (refused.status_code, refused.text) == (404, "404 page not found\n"), method
    assert http.get(f"{widgets}/stays").status_code == 200
    for method in ("DELETE", "POST", "PUT"):
        refused = http.request(method, "/api/v1/configmaps", json={})
        assert (refused.status_code, refused.json()["reason"]) == (405, "MethodNotAllowed"), method
