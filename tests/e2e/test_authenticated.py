"""``syncsource run`` against an API that lets nobody in without a token, and at an address that is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.cluster import Object, secret
from tests.e2e.product import run
from tests.upstream import Asked, Reply, Upstream, serving


def manifest(url: str, **http: Any) -> Object:
    """A SyncSource of a URL."""
    spec = {
        "source": {"http": {"baseURL": url, "retry": {"attempts": 1}, **http}},
        "fields": [{"name": "id", "type": "integer"}],
        "keys": [{"fields": ["id"]}],
        "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "t", "createTable": True}},
    }
    return {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncSource", "metadata": {"name": "rows"}, "spec": spec}


def written(folder: Path, *manifests: Object) -> str:
    """One file with them and the database's Secret; its path."""
    file = folder / "rows.yaml"
    file.write_text(yaml.safe_dump_all([*manifests, secret("db", url=f"sqlite:///{folder}/rows.db")]))
    return str(file)


def api(asked: Asked) -> Reply:
    if asked.path == "/token":
        return (
            Reply({"access_token": "t0k-en-1", "expires_in": 60}) if b"s3cret-1" in asked.body else Reply({"error": "invalid_client"}, 401)
        )
    return Reply([{"id": 1}, {"id": 2}]) if asked.headers.get("authorization") == "Bearer t0k-en-1" else Reply(status=401)


def oauth2(server: Upstream) -> dict[str, Any]:
    return {"auth": {"oauth2": {"secretRef": {"name": "api"}, "tokenURL": f"{server.url}/token", "clientAuth": "Body"}}}


def test_a_run_with_a_token_and_one_without(tmp_path: Path) -> None:
    with serving(api) as server:
        good = run(
            "run",
            "-o",
            "json",
            "-f",
            written(tmp_path, manifest(server.url, **oauth2(server)), secret("api", clientID="me", clientSecret="s3cret-1")),
        )
        wrong = run(
            "run",
            "-o",
            "json",
            "-f",
            written(tmp_path, manifest(server.url, **oauth2(server)), secret("api", clientID="me", clientSecret="s3cret-2")),
        )
    assert (good.returncode, json.loads(good.stdout)["counts"]["inserted"]) == (0, 2)
    outcome = json.loads(wrong.stdout)
    assert (wrong.returncode, outcome["reason"], outcome["next"]) == (1, "AuthFailed", "Schedule")
    assert outcome["message"] == f"POST {server.url}/token answered 401, invalid_client; check Secret api and spec.source.http.auth.oauth2"
    for done in (good, wrong):
        assert "s3cret" not in done.stdout + done.stderr
        assert "t0k-en" not in done.stdout + done.stderr


def test_link_local_addresses_where_that_is_asked_for(tmp_path: Path) -> None:
    """By a proxy of this machine, so that nothing goes there."""
    with serving(lambda _: Reply([{"id": 1}])) as proxy:
        file = written(tmp_path, manifest("http://169.254.169.254", proxy={"url": proxy.url}))
        done = run("run", "--allow-link-local", "-f", file)
    assert (done.returncode, len(proxy.asked)) == (0, 1)
