"""Bodies that can't be read, or say a thing twice; the expected words are those of Kubernetes 1.36."""

from __future__ import annotations

import json

import pytest

from syncsource.localplane.serving.bodies import MAX_BODY
from syncsource.localplane.serving.decoding import MAX_DEPTH, Unreadable, decode_body

JSON, YAML = {"Content-Type": "application/json"}, {"Content-Type": "application/yaml"}
MERGE = {"Content-Type": "application/merge-patch+json"}
WIDGET = "apiVersion: conformance.example.dev/v1alpha1\nkind: Widget\n"


def _said(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "unexpected end of JSON input (<empty>)"),
        ('{"apiVersion":', 'unexpected end of JSON input ({"apiVersion":)'),
        ('{"a":"b', 'unexpected end of JSON input ({"a":"b)'),
        ('{"a":}', "invalid character '}' looking for beginning of value ({\"a\":})"),
        ('{"a":1} {}', "invalid character '{' after top-level value ({\"a\":1} {})"),
        ("{1:2}", "invalid character '1' looking for beginning of object key string ({1:2})"),
        ('{"a" 1}', "invalid character '1' after object key ({\"a\" 1})"),
        ('{"a":1 "b":2}', 'invalid character \'"\' after object key:value pair ({"a":1 "b":2})'),
        ('{"a":[1 2]}', "invalid character '2' after array element ({\"a\":[1 2]})"),
        ('{"a":NaN}', "invalid character 'N' looking for beginning of value ({\"a\":NaN})"),
        ('{"a":"\\q"}', 'invalid character \'q\' in string escape code ({"a":"\\q"})'),
        ("\ufeff{}", "invalid character '\\ufeff' looking for beginning of value (efbbbf7b7d)"),
        ('{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"', 'unexpected end of JSON input ({"aaaaaaaaaaaaaaaaaaaaaaaaaaaa ...)'),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_json_that_is_none(http, widgets, method, body, why) -> None:
    path = widgets if method == "POST" else f"{widgets}/any"
    refused = http.request(method, path, content=body.encode(), headers=JSON)
    prefix = "the object provided is unrecognized (must be of type Widget): couldn't get version/kind; json parse error: "
    assert _said(refused) == (400, prefix + why)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{", "error decoding patch: unexpected end of JSON input"),
        ("", "error decoding patch: unexpected end of JSON input"),
        ("[]", "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ('"x"', "error decoding patch: json: cannot unmarshal string into Go value of type map[string]interface {}"),
        ("1", "error decoding patch: json: cannot unmarshal number into Go value of type map[string]interface {}"),
        ("null", "Invalid JSON Patch"),
        ("spec: {}", "error decoding patch: invalid character 's' looking for beginning of value"),
    ],
)
def test_merge_patches_that_are_none(http, widgets, new_widget, body, why) -> None:
    path = f"{widgets}/{new_widget()['metadata']['name']}"
    assert _said(http.patch(path, content=body, headers=MERGE)) == (400, why)


@pytest.mark.parametrize("kind", ["text/plain", "text/yaml", "application/x-yaml", "application/cbor", "garbage"])
def test_media_types_that_are_not_read(http, widgets, kind) -> None:
    refused = http.post(widgets, content=b"{}", headers={"Content-Type": kind})
    assert _said(refused) == (
        415,
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf",
    )


def test_a_body_that_is_too_large(http, widgets) -> None:
    refused = http.post(widgets, content=b'{"a":"' + b"x" * MAX_BODY + b'"}', headers=JSON)
    assert _said(refused) == (413, f"Request entity too large: limit is {MAX_BODY}")


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 10_001, 200_000])
@pytest.mark.parametrize(("opened", "closed"), [('{"a":', "}"), ("[", "]")], ids=["objects", "lists"])
def test_a_body_that_is_too_deep(http, widgets, levels, opened, closed) -> None:
    body = f'{{"kind":"Widget","spec":{opened * levels}1{closed * levels}}}'
    refused = http.post(widgets, content=body, headers=JSON)
    assert refused.status_code == 400
    assert "exceeded max depth" in refused.json()["message"]


TWICE = (
    '{"kind":"Widget","metadata":{"name":"twice","name":"twice"},"spec":{"colour":"red","colour":"blue","parts":[{"name":"a","name":"b"}]}}'
)
PLACES = ["metadata.name", "spec.colour", "spec.parts[0].name"]


def test_fields_that_come_twice_are_an_error_or_a_warning_or_nothing(http, widgets) -> None:
    body = {**json.loads(TWICE), "apiVersion": "conformance.example.dev/v1alpha1"}
    text = TWICE.replace("{", f'{{"apiVersion":"{body["apiVersion"]}",', 1)
    strict = http.post(widgets, content=text, headers=JSON, params={"fieldValidation": "Strict"})
    listed = ", ".join(f'duplicate field "{place}"' for place in PLACES)
    assert _said(strict) == (400, f'Widget in version "v1alpha1" cannot be handled as a Widget: strict decoding error: {listed}')
    warned = http.post(widgets, content=text, headers=JSON, params={"dryRun": "All"})
    assert warned.headers.get_list("Warning") == [f'299 - "duplicate field \\"{place}\\""' for place in PLACES]
    ignored = http.post(widgets, content=text, headers=JSON, params={"dryRun": "All", "fieldValidation": "Ignore"})
    assert ("Warning" in ignored.headers, ignored.json()["spec"]["colour"]) == (False, "blue")


def test_keys_that_come_twice_in_yaml_are_warned_of_by_line(http, widgets) -> None:
    text = WIDGET + "metadata: {name: twice-yaml}\nspec:\n  colour: red\n  colour: blue\n"
    warned = http.post(widgets, content=text, headers=YAML, params={"dryRun": "All"})
    assert warned.headers.get_list("Warning") == ['299 - "line 6: key \\"colour\\" already set in map"']


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [1", "yaml: line 1: did not find expected ',' or ']'"),
        ("a:\n\t- b", "yaml: line 2: found character that cannot start any token"),
    ],
)
def test_yaml_that_is_none(http, widgets, text, why) -> None:
    refused = http.post(widgets, content=text, headers=YAML)
    assert _said(refused) == (400, f"the object provided is unrecognized (must be of type Widget): {why} ({text.encode().hex()})")


def test_of_several_yaml_documents_the_first_is_meant(http, widgets) -> None:
    text = f"---\n{WIDGET}metadata: {{name: first}}\nspec: {{colour: red}}\n---\na: b\n"
    assert http.post(widgets, content=text, headers=YAML, params={"dryRun": "All"}).json()["metadata"]["name"] == "first"


def test_names_of_fields_in_yaml_are_text() -> None:
    assert decode_body(b"{true: a, 1: b, null: c, 1.5: d}", "application/yaml").value == {"true": "a", "1": "b", "null": "c", "1.5": "d"}
    assert decode_body(b"a: !!python/object:os.system x", "application/yaml").value == {"a": "x"}
    with pytest.raises(Unreadable, match="invalid map key"):
        decode_body(b"{[1]: a}", "application/yaml")


def test_text_that_is_not_utf8_is_read_with_marks() -> None:
    assert decode_body(b'{"a":"\xff"}', "application/json").value == {"a": "\ufffd"}
