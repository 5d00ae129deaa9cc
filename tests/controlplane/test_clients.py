"""The clients of the product, unchanged: the Kubernetes Python client, synchronous and asyncio, and kopf."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import kubernetes
import kubernetes.aio
import pytest

GROUP = ("conformance.example.dev", "v1alpha1", "default", "widgets")
KOPF = """
    import asyncio, json, sys
    import kopf

    @kopf.on.event("conformance.example.dev", "v1alpha1", "widgets")
    async def seen(type, name, body, **_):
        print(json.dumps({"type": type, "name": name, "version": body["metadata"]["resourceVersion"]}), flush=True)

    @kopf.on.startup()
    def configure(settings, **_):
        settings.posting.enabled = False
        settings.scanning.disabled = False

    kopf.configure(verbose=False)
    asyncio.run(kopf.operator(namespace="default", standalone=True))
"""


@pytest.fixture(scope="module")
def api(server, widgets):
    configuration = kubernetes.client.Configuration()
    kubernetes.config.load_kube_config(str(server.kubeconfig), client_configuration=configuration)
    with kubernetes.client.ApiClient(configuration) as client:
        yield client


def test_the_synchronous_client_reads_and_writes(api) -> None:
    core = kubernetes.client.CoreV1Api(api)
    made = core.create_namespaced_secret("default", {"metadata": {"name": "sync"}, "stringData": {"a": "b"}})
    assert made.data == {"a": "Yg=="}
    assert [item.metadata.name for item in core.list_namespaced_secret("default", limit=1).items] == ["sync"]
    patched = core.patch_namespaced_secret("sync", "default", {"metadata": {"labels": {"x": "y"}}})
    assert patched.metadata.labels == {"x": "y"}
    core.delete_namespaced_secret("sync", "default")
    with pytest.raises(kubernetes.client.ApiException) as missing:
        core.read_namespaced_secret("sync", "default")
    assert missing.value.status == 404


def test_the_synchronous_client_knows_custom_objects_and_leases(api) -> None:
    custom = kubernetes.client.CustomObjectsApi(api)
    widget = custom.create_namespaced_custom_object(*GROUP, {
        "apiVersion": "conformance.example.dev/v1alpha1", "kind": "Widget", "metadata": {"name": "client"}, "spec": {"colour": "red"},
    })  # fmt: skip
    status = custom.patch_namespaced_custom_object_status(*GROUP, "client", {"status": {"observedGeneration": 1}})
    assert (widget["spec"]["size"], status["status"]) == (10, {"observedGeneration": 1})
    leases = kubernetes.client.CoordinationV1Api(api)
    lease = leases.create_namespaced_lease("default", {"metadata": {"name": "l"}, "spec": {"holderIdentity": "a"}})
    lease.spec.holder_identity = "b"
    assert leases.replace_namespaced_lease("l", "default", lease).spec.holder_identity == "b"
    with pytest.raises(kubernetes.client.ApiException) as stale:
        leases.replace_namespaced_lease("l", "default", lease)
    assert stale.value.status == 409


def test_the_synchronous_client_watches(api) -> None:
    core = kubernetes.client.CoreV1Api(api)
    stream = kubernetes.watch.Watch().stream(core.list_namespaced_config_map, "default", timeout_seconds=10)
    core.create_namespaced_config_map("default", {"metadata": {"name": "streamed"}})
    assert next(event for event in stream if event["object"].metadata.name == "streamed")["type"] == "ADDED"


async def test_the_asyncio_client_reads_writes_and_watches(server, widgets) -> None:
    aio = kubernetes.aio
    configuration = aio.client.Configuration()
    await aio.config.load_kube_config(str(server.kubeconfig), client_configuration=configuration)
    async with aio.client.ApiClient(configuration) as client:
        core = aio.client.CoreV1Api(client)
        listed = await core.list_namespaced_config_map("default")

        async def first() -> object:
            watch = aio.watch.Watch()
            arguments = {"resource_version": listed.metadata.resource_version, "timeout_seconds": 10}
            async with watch.stream(core.list_namespaced_config_map, "default", **arguments) as stream:
                async for event in stream:
                    return event
            return None

        waiting = asyncio.create_task(first())
        await core.create_namespaced_config_map("default", {"metadata": {"name": "aio"}, "data": {"a": "b"}})
        event = await waiting
        assert (event["type"], event["object"].metadata.name) == ("ADDED", "aio")


def test_kopf_sees_events_and_writes_nothing(server, widgets, new_widget, http, tmp_path: Path) -> None:
    script = tmp_path / "watcher.py"
    script.write_text(textwrap.dedent(KOPF))
    before = new_widget(name="kopf-before")
    process = subprocess.Popen(
        [sys.executable, str(script)],
        env={"KUBECONFIG": str(server.kubeconfig), "PATH": "", "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    alarm = threading.Timer(60, process.kill)
    alarm.start()
    try:
        lines = (json.loads(line) for line in process.stdout)
        assert next(line for line in lines if line["name"] == "kopf-before")["type"] is None
        made = new_widget(name="kopf-after")
        added = next(line for line in lines if line["name"] == "kopf-after")
        http.delete(f"{widgets}/kopf-after")
        assert next(line for line in lines if line["name"] == "kopf-after")["type"] == "DELETED"
    finally:
        alarm.cancel()
        process.terminate()
        process.communicate(timeout=20)
    assert (added["type"], added["version"]) == ("ADDED", made["metadata"]["resourceVersion"])
    unchanged = http.get(f"{widgets}/kopf-before").json()
    assert unchanged["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
