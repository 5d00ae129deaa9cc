"""Built-in kinds at kubectl's prompt: what changes them, and what shows them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

Kubectl = Callable[..., subprocess.CompletedProcess[str]]
MANIFESTS = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec: {selector: {matchLabels: {app: shop}}, template: {metadata: {labels: {app: shop}}, spec: {containers: [{name: web, image: "web:1"}]}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec: {serviceName: store, selector: {matchLabels: {app: store}}, template: {metadata: {labels: {app: store}}, spec: {containers: [{name: db, image: "db:1"}]}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {schedule: "0 3 * * *", timeZone: UTC, jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "c:1"}]}}}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, clusterIP: 10.96.7.7, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec: {ingressClassName: front, rules: [{host: example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk}
spec: {accessModes: [ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 1Gi}}}
"""
ALL = """
NAME            TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE   SELECTOR
service/shop    ClusterIP   10.96.7.7    <none>        80/TCP    AGE   app=shop
NAME                   READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS   IMAGES   SELECTOR
deployment.apps/shop   0/1     0            0           AGE   web          web:1    app=shop
NAME                     READY   AGE   CONTAINERS   IMAGES
statefulset.apps/store   0/1     AGE   db           db:1
NAME                    SCHEDULE    TIMEZONE   SUSPEND   ACTIVE   LAST SCHEDULE   AGE   CONTAINERS   IMAGES   SELECTOR
cronjob.batch/nightly   0 3 * * *   UTC        False     0        <none>          AGE   c            c:1      <none>
"""
OTHERS = """
NAME   STATUS    VOLUME   CAPACITY   ACCESS MODES   STORAGECLASS   VOLUMEATTRIBUTESCLASS   AGE   VOLUMEMODE
persistentvolumeclaim/disk   Pending                                        fast           <unset>                 AGE   Filesystem
NAME                             CLASS   HOSTS         ADDRESS   PORTS   AGE
ingress.networking.k8s.io/shop   front   example.com             80      AGE
"""


@pytest.fixture(scope="module")
def shop() -> str:
    return MANIFESTS


def _words(text: str) -> list[list[str]]:
    return [["AGE" if word.endswith("s") and word[:-1].isdigit() else word for word in line.split()] for line in text.splitlines() if line]


def test_everything_is_shown_with_the_columns_of_kubernetes(kubectl: Kubectl, shop: str) -> None:
    applied = kubectl("apply", "-f", "-", stdin=shop)
    assert applied.returncode == 0, applied.stderr
    shown = kubectl("get", "all", "-o", "wide")
    assert shown.returncode == 0, shown.stderr
    assert _words(shown.stdout) == _words(ALL)
    others = kubectl("get", "pvc,ing", "-o", "wide")
    assert _words(others.stdout)[1:] == _words(OTHERS)[1:]
    again = kubectl("apply", "-f", "-", stdin=shop)
    assert [line.rpartition(" ")[2] for line in again.stdout.splitlines()] == ["unchanged"] * 6


CHANGES = [
    (["scale", "deployment/changed", "--replicas=2", "--current-replicas=1"], "{.spec.replicas}", "2"),
    (["set", "resources", "deployment/changed", "--limits=cpu=200m"], "{.spec.template.spec.containers[0].resources.limits.cpu}", "200m"),
    (["rollout", "pause", "deployment/changed"], "{.spec.paused}", "true"),
    (["rollout", "resume", "deployment/changed"], "{.spec.paused}", ""),
    (["autoscale", "deployment", "changed", "--max=5", "--cpu-percent=70"], "{.metadata.generation}", "5"),
]


def test_a_deployment_is_scaled_set_and_paused(kubectl: Kubectl) -> None:
    assert kubectl("create", "deployment", "changed", "--image=web:1").returncode == 0
    for arguments, path, value in CHANGES:
        done = kubectl(*arguments)
        assert done.returncode == 0, done.stderr
        assert kubectl("get", "deployment", "changed", "-o", f"jsonpath={path}").stdout == value
    refused = kubectl("scale", "deployment/changed", "--replicas=9", "--current-replicas=7")
    assert "Expected replicas to be 7, was 2" in refused.stderr
    scaler = json.loads(kubectl("get", "hpa", "changed", "-o", "json").stdout)
    assert (scaler["apiVersion"], scaler["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"]) == ("autoscaling/v2", 70)


@pytest.mark.parametrize("what", ["ingress/shop", "hpa/changed", "pvc/disk"])
def test_it_is_described(kubectl: Kubectl, what: str) -> None:
    told = kubectl("describe", what)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("Name:")


def test_types_are_explained_to_their_ends(kubectl: Kubectl) -> None:
    told = kubectl("explain", "cronjob.spec", "--recursive").stdout
    for line in (
        "containers\t<[]Container> -required-",
        "limits\t<map[string]Quantity>",
        "port\t<IntOrString> -required-",
        "timeZone\t<string>",
    ):
        assert line in told
    field = kubectl("explain", "pod.spec.containers.imagePullPolicy").stdout
    assert "FIELD: imagePullPolicy <string>\nENUM:\n    Always\n    IfNotPresent\n    Never\n" in field
