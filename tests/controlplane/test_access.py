"""Who may come in, and what is done with what is sent."""

from __future__ import annotations

import gzip
import subprocess
import sys

import httpx
import pytest

MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.mark.parametrize("given", ["", "Bearer wrong", "Bearer", "Basic dG9rZW4=", "Bearer \xe9"])
def test_no_token_or_a_wrong_one_is_refused(server, given) -> None:
    client = server.client(headers={"Authorization": given.encode("latin-1")})
    refused = client.get("/api/v1/namespaces")
    assert refused.status_code == 401
    assert refused.json() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "Unauthorized",
        "reason": "Unauthorized",
        "code": 401,
    }


def test_health_needs_no_token(server) -> None:
    client = server.client()
    del client.headers["Authorization"]
    assert [client.get(path).text for path in ("/healthz", "/readyz", "/livez")] == ["ok"] * 3


def test_plain_http_is_not_served(server) -> None:
    with pytest.raises(httpx.HTTPError):
        httpx.get(server.url.replace("https", "http"), trust_env=False)


def test_only_this_machine_can_connect(server) -> None:
    assert server.url.startswith("https://127.0.0.1:")


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"a: [", "application/yaml", 400),
        (b"[1]: 2", "application/yaml", 400),
        (b"&a [*a]", "application/yaml", 400),
        (b'{"metadata": []}', "application/json", 400),
        (b'{"metadata": {"labels": {"a": 1}}}', "application/json", 400),
        (b'{"kind": "Gadget"}', "application/json", 400),
        (b'{"apiVersion": "v2"}', "application/json", 400),
        (b'{"metadata": {"namespace": "other"}}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"k8s\x00\x0a", "application/vnd.kubernetes.protobuf", 400),
        (b"<a/>", "application/xml", 415),
        (b" " * (3 * 1024 * 1024 + 1), "application/json", 413),
    ],
)
def test_bad_bodies_are_refused(http, widgets, body, kind, code) -> None:
    refused = http.post(widgets, content=body, headers={"Content-Type": kind})
    assert refused.status_code == code
    assert refused.json()["kind"] == "Status"


@pytest.mark.parametrize(
    ("patch", "kind", "code"),
    [
        (b"{}", "application/strategic-merge-patch+json", 415),
        (b"{}", "application/json", 415),
        (b"{", "application/merge-patch+json", 400),
        (b"[]", "application/merge-patch+json", 400),
        (b"{}", "application/json-patch+json", 400),
        (b'[{"op": "fly", "path": "/spec"}]', "application/json-patch+json", 400),
        (b'[{"op": "remove", "path": "/spec/none"}]', "application/json-patch+json", 422),
        (b"spec: {}", "application/apply-patch+yaml", 422),
    ],
)
def test_bad_patches_are_refused(http, widgets, new_widget, patch, kind, code) -> None:
    path = f"{widgets}/{new_widget()['metadata']['name']}"
    assert http.patch(path, content=patch, headers={"Content-Type": kind}).status_code == code


@pytest.mark.parametrize("name", ["Upper", "a_b", "-a", "a" * 254, "a/b", ""])
def test_bad_names_are_refused(http, widgets, name) -> None:
    refused = http.post(widgets, json={"metadata": {"name": name}, "spec": {"colour": "red"}})
    assert refused.status_code == 422
    assert "metadata.name" in {found["field"] for found in refused.json()["details"]["causes"]}


@pytest.mark.parametrize(
    "metadata",
    [{"labels": {"a b": "c"}}, {"labels": {"a": "c d"}}, {"annotations": {"a/b/c": ""}}, {"finalizers": ["a b"]}],
    ids=["label key", "label value", "annotation", "finalizer"],
)
def test_bad_metadata_is_refused(http, widgets, metadata) -> None:
    body = {"metadata": {"name": "ok", **metadata}, "spec": {"colour": "red"}}
    assert http.post(widgets, json=body).status_code == 422


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": "x"}, {"continue": "x"}, {"labelSelector": "a=b=c"}, {"labelSelector": "a in (b"}, {"labelSelector": "a>b"},
        {"fieldSelector": "spec.size=1"}, {"fieldSelector": "x"}, {"resourceVersion": "x"},
    ],
)  # fmt: skip
def test_bad_parameters_are_refused(http, widgets, parameters) -> None:
    assert http.get(widgets, params=parameters).status_code == 400


@pytest.mark.parametrize(
    "path", ["/nothing", "/apis/none.example.dev/v1", "/api/v2/pods", "/api/v1/gadgets", "/api/v1/namespaces/a/b/c/d/e"]
)
def test_unknown_paths_are_not_found(http, path) -> None:
    assert http.get(path).status_code == 404


def test_unknown_methods_are_refused(http, widgets) -> None:
    assert http.request("TRACE", widgets).status_code == 405
    assert http.put(widgets, json={}).status_code == 405


def test_large_answers_are_compressed(http, widgets, new_widget) -> None:
    for _ in range(3):
        new_widget({"colour": "red", "options": {"text": "x" * 60_000}}, labels={"large": "yes"})
    with http.stream("GET", widgets, params={"labelSelector": "large"}, headers={"Accept-Encoding": "gzip"}) as response:
        raw = b"".join(response.iter_raw())
        assert response.headers["Content-Encoding"] == "gzip"
    assert len(raw) < 60_000 < len(gzip.decompress(raw))


def test_yaml_goes_in_and_comes_out(http, widgets) -> None:
    body = "metadata: {name: from-yaml, annotations: {day: '2026-01-01'}}\nspec: {colour: red}\n"
    made = http.post(widgets, content=body, headers={"Content-Type": "application/yaml", "Accept": "application/yaml"})
    assert made.status_code == 201
    assert made.text.startswith("apiVersion: conformance.example.dev/v1alpha1\nkind: Widget\n")


def test_files_are_private(server) -> None:
    assert server.folder.stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in server.folder.iterdir()}
    assert {name: mode for name, mode in modes.items() if mode != 0o600} == {}


def test_a_second_server_on_the_same_folder_fails(server) -> None:
    command = [sys.executable, "-m", "syncsource.localplane", "--dir", str(server.folder)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr == f"error: another control plane is already running in {server.folder}\n"
