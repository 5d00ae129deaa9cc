"""The border to the API server: login, and what its errors mean."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from kubernetes.aio.client.exceptions import ApiException

from syncsource.controller.kube import login as module
from syncsource.controller.kube.failures import ApiError, Away, Conflict, Gone, Rejected, translated
from syncsource.controller.kube.login import Login


def kubeconfig(folder: Path, *, token: str = "t1") -> Path:
    def named(name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
        return {"name": name, kind: value}

    authority = base64.b64encode(b"not read here").decode()
    path = folder / "config"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "one",
                "contexts": [
                    named("one", "context", {"cluster": "first", "user": "ana"}),
                    named("two", "context", {"cluster": "second", "user": "ana"}),
                ],
                "clusters": [
                    named("first", "cluster", {"server": "https://127.0.0.1:1", "certificate-authority-data": authority}),
                    named("second", "cluster", {"server": "https://127.0.0.1:2", "insecure-skip-tls-verify": True}),
                ],
                "users": [named("ana", "user", {"token": token})],
            }
        )
    )
    return path


async def test_the_current_context_is_taken(tmp_path: Path) -> None:
    connection = await Login(kubeconfig=str(kubeconfig(tmp_path))).connection()
    assert (connection.server, connection.scheme, connection.token) == ("https://127.0.0.1:1", "Bearer", "t1")
    assert not connection.insecure


async def test_another_context_may_be_named(tmp_path: Path) -> None:
    connection = await Login(kubeconfig=str(kubeconfig(tmp_path)), context="two").connection()
    assert connection.server == "https://127.0.0.1:2"
    assert connection.insecure


async def test_the_environment_names_the_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path)))
    assert (await Login().configuration()).host == "https://127.0.0.1:1"


async def test_a_token_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await Login(kubeconfig=str(kubeconfig(tmp_path))).configuration()
    kubeconfig(tmp_path, token="t2")
    assert await found.get_api_key_with_prefix("BearerToken") == "Bearer t1"
    monkeypatch.setattr(module, "_TOKEN_SECONDS", 0.0)
    assert await found.get_api_key_with_prefix("BearerToken") == "Bearer t2"
    (tmp_path / "config").unlink()
    assert await found.get_api_key_with_prefix("BearerToken") == "Bearer t2"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, Gone), (409, Conflict), (422, Conflict), (401, Away), (429, Away), (500, Away), (503, Away), (403, Rejected), (400, Rejected)],
)
def test_errors_are_told_apart_by_what_happens_next(status: int, kind: type[ApiError]) -> None:
    with pytest.raises(kind), translated():
        raise ApiException(status=status, reason="x")


@pytest.mark.parametrize("error", [aiohttp.ClientConnectionError("refused"), TimeoutError(), ConnectionResetError(), OSError("x")])
def test_a_broken_connection_is_a_server_that_is_away(error: Exception) -> None:
    with pytest.raises(Away), translated():
        raise error
