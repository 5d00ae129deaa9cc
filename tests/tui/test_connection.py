"""A control plane that goes and comes back, that does not know us, or that lets us do little."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from syncsource_tui.kube import session, watching
from tests.tui.stage import Show, Stage, ready, showing, staged

RBAC = "/apis/rbac.authorization.k8s.io/v1"


async def test_rows_stay_while_it_is_away_and_go_on_when_it_is_back(stage: Stage) -> None:
    for name in ("a", "b", "c"):
        await stage.create(name, ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("a", "b", "c")
        await show.press("j", "space", "k")
        port = stage.plane.port
        await stage.stop()
        await show.until(lambda: show.line("header").startswith("syncsource ⟩ all namespaces STALE"))
        assert show.line("banner").startswith("no answer: 127.0.0.1:")
        assert "retry in" in show.line("banner") or "trying again" in show.line("banner")
        assert show.names() == ["a", "b", "c"]
        await show.press("T")
        await show.until(lambda: show.line("activity") == "Trigger: not connected")
        await stage.start()
        await stage.client.close()
        stage.client = await show.app.session.access.open()
        await stage.delete("c")
        await stage.create("d", ready())
        await show.press("ctrl+r")
        await show.until(lambda: show.app.session.connection.is_live and show.names() == ["a", "b", "d"])
        assert (show.cursor(), len(show.app.fleet.marks)) == ("b", 1)
        assert port > 0


async def test_another_port_and_token_are_read_from_the_kubeconfig(stage: Stage, tmp_path: Path) -> None:
    await stage.create("before", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("before")
        await stage.stop()
        await show.until(lambda: "STALE" in show.line("header"))
        async with staged(tmp_path / "other", None) as other:
            await other.client.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", _definition())
            await other.create("after", ready())
            stage.plane.kubeconfig.write_bytes(other.plane.kubeconfig.read_bytes())
            await show.press("ctrl+r")
            await show.until(lambda: show.app.session.connection.is_live and show.names() == ["after"])
        await show.until(lambda: "STALE" in show.line("header"))


def _definition() -> dict[str, Any]:
    from syncsource.resource.crd import crd

    return crd()


async def test_nobody_answers_from_the_start(stage: Stage) -> None:
    await stage.stop()
    async with showing(stage.kubeconfig) as show:
        await show.until(lambda: "NO ANSWER" in show.line("header"))
        await stage.start()
        await show.press("ctrl+r")
        await show.until_live()


async def test_a_kubeconfig_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    async with showing(str(path)) as show:
        await show.until(lambda: "NO KUBECONFIG" in show.line("header"))
        assert "start a control plane with `syncsource up`" in show.line("banner")
        path.write_text("users: [")
        await show.press("ctrl+r")
        await show.until(lambda: show.app.session.connection.failures > 1)
        assert "NO KUBECONFIG" in show.line("header")


async def test_a_token_that_is_not_known(stage: Stage) -> None:
    config = json.loads(stage.plane.kubeconfig.read_text())
    config["users"][0]["user"]["token"] = "wrong-but-secret"
    stage.plane.kubeconfig.write_text(json.dumps(config))
    async with showing(stage.kubeconfig) as show:
        await show.until(lambda: "UNAUTHORIZED" in show.line("header"))
        assert show.line("banner").startswith("the control plane does not know you (401)")
        assert "wrong-but-secret" not in show.text


async def test_a_control_plane_without_syncsources(tmp_path: Path) -> None:
    async with staged(tmp_path / "plane", None) as stage, showing(stage.kubeconfig) as show:
        await show.until(lambda: "NOT INSTALLED" in show.line("header"))
        assert "syncsource crds | kubectl apply -f -" in show.line("banner")
        await stage.client.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", _definition())
        await show.press("ctrl+r")
        await show.until_live()


async def test_a_version_too_old_is_listed_anew(stage: Stage) -> None:
    await stage.create("a", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("a")
        stage.plane.writer.broadcast.end("syncsources.syncsource.dev")
        await stage.create("b", ready())
        await show.until(lambda: len(show.fleet.table.keys) == 2)
        assert show.app.session.connection.failures == 0


async def account(stage: Stage, name: str, rules: list[dict[str, Any]], *, everywhere: bool) -> str:
    """A kubeconfig of a service account that may do this; its context is of the namespace rental."""
    await stage.client.post(
        "/api/v1/namespaces/default/serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}
    )
    kind, place = ("ClusterRole", RBAC) if everywhere else ("Role", f"{RBAC}/namespaces/rental")
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "rules": rules}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": f"{kind}Binding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "default"}],
    }
    await stage.client.post(f"{place}/{kind.lower()}s", role)
    await stage.client.post(f"{place}/{kind.lower()}bindings", binding)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "metadata": {}, "spec": {}}
    token = (await stage.client.post(f"/api/v1/namespaces/default/serviceaccounts/{name}/token", request))["status"]["token"]
    config = json.loads(stage.plane.kubeconfig.read_text())
    config["users"][0]["user"]["token"] = token
    config["contexts"][0]["context"]["namespace"] = "rental"
    path = stage.folder / f"{name}.kubeconfig"
    path.write_text(json.dumps(config))
    return str(path)


def rule(*verbs: str, resource: str = "syncsources", group: str = "syncsource.dev") -> dict[str, Any]:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}


async def test_who_may_only_look_sees_keys_greyed(stage: Stage) -> None:
    await stage.create("orders", ready())
    kubeconfig = await account(stage, "looker", [rule("get", "list", "watch")], everywhere=True)
    async with showing(kubeconfig) as show:
        await show.until_live("orders")
        await show.until(lambda: show.app.session.rights.may_patch("default") is False)
        await show.press("T")
        await show.until(lambda: "you may not patch syncsources.syncsource.dev here" in show.line("activity"))
        await _no_log(show)


async def _no_log(show: Show) -> None:
    await show.press("l")
    await show.until_shows("no log: you may not list pods in namespace rental")
    await show.press("4")
    await show.until_shows("you may not list events in namespace default")


async def test_who_may_list_one_namespace_sees_that_one(stage: Stage) -> None:
    await stage.namespace("rental")
    await stage.create("bookings", ready(), namespace="rental")
    await stage.create("orders", ready())
    kubeconfig = await account(stage, "renter", [rule("get", "list", "watch", "patch")], everywhere=False)
    async with showing(kubeconfig) as show:
        await show.until_live("bookings")
        assert show.names() == ["bookings"]
        assert "syncsource ⟩ rental" in show.line("header")
        await show.until(lambda: show.app.session.rights.may_patch("rental") is True)
    async with showing(kubeconfig, everywhere=True) as show:
        await show.until(lambda: "FORBIDDEN" in show.line("header"))
        assert show.line("banner").startswith("you may not list syncsources.syncsource.dev in all namespaces")


async def test_a_right_that_is_taken_away(stage: Stage) -> None:
    await stage.create("orders", ready())
    kubeconfig = await account(stage, "looker", [rule("get", "list", "watch")], everywhere=True)
    async with showing(kubeconfig, everywhere=True) as show:
        await show.until_live("orders")
        await stage.client._json("DELETE", f"{RBAC}/clusterrolebindings/looker", "")
        await show.press("ctrl+r")
        await show.until(lambda: "FORBIDDEN" in show.line("header"))
        assert show.names() == ["orders"]


def test_the_beat_is_shorter_than_a_watch() -> None:
    assert session._BEAT * 2 < watching._WATCH_SECONDS < watching._SILENCE
