"""The API by hand: curl and a shell, with what the kubeconfig holds and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest
import yaml

from tests.controlplane.conftest import Server
from tests.requiring import unavailable

SCRIPT = """
    set -eu
    call() { curl -sS --max-time 20 --cacert ca.crt -H "Authorization: Bearer $(cat token)" "$@"; }
    json='Content-Type: application/json'
    call -o made.json -w '%{http_code}\\n' -H "$json" -d '{"metadata":{"name":"curled"},"data":{"a":"1"}}' "$API/configmaps"
    call -o again.json -w '%{http_code}\\n' -H "$json" -d '{"metadata":{"name":"curled"}}' "$API/configmaps"
    call -H 'Content-Type: application/merge-patch+json' -X PATCH -d '{"data":{"b":"2"}}' -o patched.json "$API/configmaps/curled"
    printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: curled}\\ndata: {c: "3"}\\n' |
      call -H 'Content-Type: application/apply-patch+yaml' -X PATCH --data-binary @- -o applied.json "$API/configmaps/curled?fieldManager=curl"
    call --compressed -o list.json "$API/configmaps?fieldSelector=metadata.name=curled"
    call -X DELETE -o deleted.json "$API/configmaps/curled"
    version=$(sed 's/.*"resourceVersion":"\\([0-9]*\\)".*/\\1/' made.json)
    call -N "$API/configmaps?watch=1&timeoutSeconds=1&resourceVersion=$version&fieldSelector=metadata.name=curled" > watched.json
    curl -sS -o none.json -w '%{http_code}\\n' --cacert ca.crt "$API/configmaps"
    curl -sS -o wrong.json -w '%{http_code}\\n' --cacert ca.crt -H 'Authorization: Bearer wrong' "$API/configmaps"
    curl -sS "$API/configmaps" 2>/dev/null || echo untrusted
"""


def test_a_script_creates_lists_watches_patches_and_deletes(server: Server, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        unavailable("curl", "it is not installed")
    cluster = yaml.safe_load(server.kubeconfig.read_text())["clusters"][0]["cluster"]
    trusted = subprocess.run(["base64", "-d"], input=cluster["certificate-authority-data"].encode(), capture_output=True, check=True)
    (tmp_path / "ca.crt").write_bytes(trusted.stdout)
    (tmp_path / "token").write_text(server.user["token"])
    env = {"API": f"{server.url}/api/v1/namespaces/default", "PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", textwrap.dedent(SCRIPT)], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["201", "409", "401", "401", "untrusted"]

    def answer(name: str) -> dict:
        return json.loads((tmp_path / f"{name}.json").read_text())

    assert answer("again")["reason"] == "AlreadyExists"
    assert answer("patched")["data"] == {"a": "1", "b": "2"}
    [item] = answer("list")["items"]
    assert item["data"] == answer("applied")["data"] == {"a": "1", "b": "2", "c": "3"}
    assert answer("deleted")["status"] == "Success"
    events = [json.loads(line) for line in (tmp_path / "watched.json").read_text().splitlines()]
    assert [event["type"] for event in events] == ["MODIFIED", "MODIFIED", "DELETED"]
    assert [event["object"]["data"] for event in events] == [answer("patched")["data"], item["data"], item["data"]]
    assert (answer("none")["reason"], answer("wrong")["reason"]) == ("Unauthorized", "Unauthorized")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/version", "/openapi/v2", "/openapi/v3", "/api", "/apis"])
def test_what_clients_ask_for_first_is_there(http, path: str) -> None:
    assert http.get(path).status_code == 200
