"""The operator with the rights that manifests/ give it: each is needed, and one that is missing is told and waited for."""

from __future__ import annotations

import copy
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from syncsource.controller.core.asked import observe_run, pack_run_status
from syncsource.controller.core.observed import observe
from syncsource.controller.core.packed import pack_status
from syncsource.controller.health import Health
from syncsource.controller.kube.api import Api
from syncsource.controller.kube.failures import Rejected
from syncsource.controller.kube.login import Login
from syncsource.resource.api import PLURAL, RUN_PLURAL
from tests.e2e.accounts import kubeconfig_with, rules_of
from tests.e2e.controller.heard import heard
from tests.e2e.controller.plane import RUNS, Client, Object, ScriptedRunner, Stage, reason, source, syncrun

RULES = rules_of("base/rbac.yaml", "Role")
RIGHTS = [(resource, verb) for rule in RULES for resource in rule["resources"] for verb in rule["verbs"]]
CLUSTER_RBAC = "/apis/rbac.authorization.k8s.io/v1"
RBAC = f"{CLUSTER_RBAC}/namespaces/default"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"


class Account:
    """The operator's service account, whose role changes."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage, self.folder = stage, folder

    async def open(self) -> None:
        await self.stage.client.create({"metadata": {"name": "robot"}}, ACCOUNTS)
        await self.stage.client.create({"metadata": {"name": "robot"}, "rules": RULES}, f"{RBAC}/roles")
        subject = {"kind": "ServiceAccount", "name": "robot", "namespace": "default"}
        binding = {"metadata": {"name": "robot"}, "subjects": [subject], "roleRef": {"kind": "Role", "name": "robot"}}
        await self.stage.client.create(binding, f"{RBAC}/rolebindings")
        issued = await self.stage.client.create({}, f"{ACCOUNTS}/robot/token")
        await self._know_the_cluster(subject)
        self.kubeconfig = str(kubeconfig_with(issued["status"]["token"], self.stage.plane.kubeconfig, self.folder / "robot"))

    async def _know_the_cluster(self, subject: dict[str, str]) -> None:
        role = {"metadata": {"name": "identity"}, "rules": rules_of("base/identity.yaml", "ClusterRole")}
        await self.stage.client.create(role, f"{CLUSTER_RBAC}/clusterroles")
        binding = {"metadata": {"name": "identity"}, "subjects": [subject], "roleRef": {"kind": "ClusterRole", "name": "identity"}}
        await self.stage.client.create(binding, f"{CLUSTER_RBAC}/clusterrolebindings")

    async def allow(self, *, but: tuple[str, str] | None = None) -> None:
        """All that manifests/ allow, but for one verb on one resource."""
        rules = copy.deepcopy(RULES)
        for rule in rules:
            if but is not None and but[0] in rule["resources"]:
                rule["verbs"].remove(but[1])
        await self.stage.client.patch("robot", {"rules": [rule for rule in rules if rule["verbs"]]}, f"{RBAC}/roles")

    @asynccontextmanager
    async def operator(self, runner: ScriptedRunner, **options: Any) -> AsyncIterator[None]:
        """An operator for the namespace, with the account's token."""
        async with self.stage.operator(runner, kubeconfig=self.kubeconfig, namespaces=["default"], **options):
            yield


@pytest.fixture
async def account(stage: Stage, tmp_path: Path) -> Account:
    account = Account(stage, tmp_path)
    await account.open()
    return account


async def ask(api: Api, held: Object, administrator: Client) -> None:
    """Every request that the operator makes, but for the watches."""
    seen = observe(held)
    run = observe_run(await administrator.create(syncrun("a", "Sync"), RUNS))
    event = {"metadata": {"name": "e", "namespace": "default"}, "involvedObject": {"namespace": "default"}, "reason": "A", "type": "Normal"}
    for request in (
        api.cluster,
        lambda: api.object(seen.ref),
        lambda: listed(api, PLURAL),
        lambda: listed(api, RUN_PLURAL),
        lambda: api.syncruns.object(run.ref),
        lambda: api.syncruns.named("default", "a"),
        lambda: api.syncruns.write_status(run.ref, pack_run_status(run.status), run.version),
        lambda: api.syncruns.delete(run.ref),
        lambda: api.write_status(seen.ref, pack_status(seen.status), seen.version),
        lambda: api.secret("default", "db"),
        lambda: api.look_at_secrets(["default"]),
        lambda: api.create_event("default", event),
        lambda: api.patch_event("default", "e", {"count": 2}),
    ):
        await request()


async def listed(api: Api, plural: str) -> list[Any]:
    return [ref async for ref in api.refs(["default"], plural)]


@pytest.mark.parametrize("right", [right for right in RIGHTS if right[1] != "watch"], ids="-".join)
async def test_each_right_is_needed(account: Account, right: tuple[str, str]) -> None:
    held = await account.stage.client.create(source("a"))
    api = Api(await Login(kubeconfig=account.kubeconfig).configuration())
    try:
        await account.allow(but=right)
        with pytest.raises(Rejected) as refused:
            await ask(api, held, account.stage.client)
        assert f'cannot {right[1]} resource "{right[0]}" in API group' in str(refused.value)
    finally:
        await api.close()


async def test_all_rights_are_enough(account: Account) -> None:
    held = await account.stage.client.create(source("a"))
    api = Api(await Login(kubeconfig=account.kubeconfig).configuration())
    try:
        await ask(api, held, account.stage.client)
    finally:
        await api.close()


@pytest.mark.parametrize(
    "right",
    [
        ("syncsources", "list"),
        ("syncsources", "watch"),
        ("secrets", "list"),
        ("secrets", "watch"),
        ("secrets", "get"),
        ("syncsources/status", "patch"),
        ("syncruns", "list"),
        ("syncruns", "watch"),
    ],
    ids="-".join,
)
async def test_a_missing_right_is_told_and_waited_for(account: Account, right: tuple[str, str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "syncsource")
    await account.allow(but=right)
    health = Health()
    with heard() as log:
        async with account.operator(ScriptedRunner(), health=health):
            await account.stage.client.create(source("a", schedule={"every": "1h"}, retry={"backoff": "1s", "maxBackoff": "1s"}))
            told = await log.line(f'cannot {right[1]} resource "{right[0]}"')
            assert 'User "system:serviceaccount:default:robot"' in told
            assert len(log.lines) < 30
            assert not [line for line in log.lines if "namespace kube-system" in line or "customresourcedefinitions" in line]
            if right[1] == "list":
                await log.line("not ready: waiting for a right")
                assert right[0] in health.waits_for
            await account.allow()
            await account.stage.client.until("a", lambda held: reason(held, "Ready") == "Succeeded")
            await log.line("ready", whole=True)
            assert health.waits_for == ""
