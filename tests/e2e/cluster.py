"""A Kubernetes API as the tests use it: apply, get, patch, and wait by watching."""

from __future__ import annotations

import base64
import json
import re
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml

Object = dict[str, Any]
_PATHS = {
    "Namespace": "api/v1/namespaces",
    "CustomResourceDefinition": "apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "Secret": "api/v1/namespaces/{}/secrets",
    "Event": "api/v1/namespaces/{}/events",
    "Pod": "api/v1/namespaces/{}/pods",
    "Node": "api/v1/nodes",
    "Job": "apis/batch/v1/namespaces/{}/jobs",
    "SelfSubjectAccessReview": "apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "SyncSource": "apis/syncsource.dev/v1alpha1/namespaces/{}/syncsources",
    "SyncRun": "apis/syncsource.dev/v1alpha1/namespaces/{}/syncruns",
}


class Refused(Exception):
    """The API server said no; the message is its own."""


class Cluster:
    """One namespace of the control plane that a kubeconfig names."""

    def __init__(self, kubeconfig: Path, namespace: str = "default") -> None:
        self.kubeconfig, self.namespace = kubeconfig, namespace
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        trust = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        _present_certificate(trust, user)
        headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        self._http = httpx.Client(base_url=cluster["server"], verify=trust, headers=headers, timeout=30, trust_env=False)

    def close(self) -> None:
        """Closes its connections."""
        self._http.close()

    def apply(self, *manifests: Object) -> None:
        """Server-side apply, forced, as ``kubectl apply --server-side`` does."""
        for manifest in manifests:
            self._send(
                "PATCH",
                self._path(manifest["kind"], manifest["metadata"]["name"]),
                params={"fieldManager": "test", "force": "true", "fieldValidation": "Strict"},
                headers={"Content-Type": "application/apply-patch+yaml"},
                content=json.dumps(manifest),
            )

    def create(self, manifest: Object) -> Object:
        """A new object, as ``kubectl create`` makes it."""
        return self._send("POST", self._path(manifest["kind"]), params={"fieldValidation": "Strict"}, json=manifest)

    def get(self, name: str, kind: str = "SyncSource") -> Object:
        """One object."""
        return self._send("GET", self._path(kind, name))

    def patch(self, name: str, change: Object, kind: str = "SyncSource") -> Object:
        """A merge patch."""
        return self._send(
            "PATCH", self._path(kind, name), headers={"Content-Type": "application/merge-patch+json"}, content=json.dumps(change)
        )

    def annotate(self, name: str, **annotations: str) -> Object:
        """Sets annotations of the product's group."""
        return self.patch(name, {"metadata": {"annotations": {f"syncsource.dev/{key}": value for key, value in annotations.items()}}})

    def delete(self, name: str, kind: str = "SyncSource") -> None:
        """Deletes one object."""
        self._send("DELETE", self._path(kind, name))

    def events(self, name: str) -> list[Object]:
        """The Events about a SyncSource."""
        listed = self._send("GET", self._path("Event"), params={"fieldSelector": f"involvedObject.name={name}"})
        return list(listed["items"])

    def log(self, pod: str, **options: str) -> str:
        """A Pod's log."""
        answer = self._http.get(f"{self._path('Pod', pod)}/log", params=options)
        if answer.is_error:
            raise Refused(answer.text)
        return answer.text

    def wait_log(self, pod: str, text: str, *, seconds: float = 15) -> None:
        """Follows a Pod's log until a line holds the text. AssertionError where none does."""
        with self._http.stream("GET", f"{self._path('Pod', pod)}/log", params={"follow": "true"}, timeout=seconds) as answer:
            if not any(text in line for line in answer.iter_lines()):
                raise AssertionError(f"the log of {pod} ended without {text!r}")

    def wait_answering(self, *, seconds: float = 15) -> None:
        """Until the API server, which was killed, answers again."""
        ends = time.monotonic() + seconds
        while True:
            try:
                self._http.get("/readyz").raise_for_status()
            except httpx.HTTPError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.05)
            else:
                return

    def list(self, kind: str = "SyncSource") -> list[Object]:
        """Every object of the kind."""
        return list(self._send("GET", self._path(kind))["items"])

    def request(self, name: str, token: str, *, seconds: float = 30) -> Object:
        """Asks for a run with this value of requestedAt: the object when that run has ended, or was refused."""
        self.annotate(name, requestedAt=token)
        return self.wait(name, lambda source: answered(source, token), seconds=seconds)

    def wait(self, name: str, until: Callable[[Object], Any], *, seconds: float = 30, kind: str = "SyncSource") -> Object:
        """The object as soon as it is as wanted, by watching it. AssertionError with its status where it never is."""
        seen: Object = {}
        for seen in self._watched(name, kind, seconds):
            if until(seen):
                return seen
        raise AssertionError(
            f"{name} did not come to what was awaited within {seconds} s; its status: {json.dumps(seen.get('status'), indent=1)}"
        )

    def wait_event(self, name: str, reason: str, *, seconds: float = 15) -> Object:
        """The Event with that reason about a SyncSource."""
        ends = time.monotonic() + seconds
        for event in self._stream("Event", {"fieldSelector": f"involvedObject.name={name}"}, ends):
            if event["reason"] == reason:
                return event
        raise AssertionError(f"no Event {reason} about {name}; there are: {[(one['reason'], one['message']) for one in self.events(name)]}")

    def _watched(self, name: str, kind: str, seconds: float) -> Iterator[Object]:
        yield from self._stream(kind, {"fieldSelector": f"metadata.name={name}"}, time.monotonic() + seconds)

    def _stream(self, kind: str, selector: dict[str, str], ends: float) -> Iterator[Object]:
        while (left := ends - time.monotonic()) > 0:
            params = {**selector, "watch": "true", "timeoutSeconds": str(max(int(left), 1))}
            try:
                with self._http.stream("GET", self._path(kind), params=params) as answer:
                    for line in answer.iter_lines():
                        event = json.loads(line)
                        if event["type"] in ("ADDED", "MODIFIED"):
                            yield event["object"]
            except httpx.TransportError:
                continue

    def _path(self, kind: str, name: str = "") -> str:
        return f"/{_PATHS[kind].format(self.namespace)}" + (f"/{name}" if name else "")

    def _send(self, method: str, path: str, **more: Any) -> Object:
        answer = self._http.request(method, path, **more)
        body: Object = answer.json()
        if answer.is_error:
            raise Refused(body.get("message", answer.text))
        return body


def _present_certificate(trust: ssl.SSLContext, user: Object) -> None:
    """A client certificate, where the kubeconfig has one within itself: the context takes it from a file only."""
    if "client-certificate-data" in user:
        with tempfile.NamedTemporaryFile() as file:
            file.write(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
            file.flush()
            trust.load_cert_chain(file.name)


def condition(source: Object, type_: str) -> Object:
    """One condition of a SyncSource; empty where it is absent."""
    found = [one for one in source.get("status", {}).get("conditions", []) if one["type"] == type_]
    return found[0] if found else {}


def ready(source: Object) -> bool:
    """Whether the last run of this very spec succeeded, and none is under way."""
    one = condition(source, "Ready")
    current = one.get("observedGeneration") == source["metadata"]["generation"]
    return one.get("status") == "True" and current and not source["status"].get("currentRun")


def failed(source: Object) -> bool:
    """Whether the last run failed."""
    return condition(source, "Ready").get("status") == "False"


def answered(source: Object, token: str) -> bool:
    """Whether the request was taken, and nothing runs."""
    status = source.get("status", {})
    return status.get("lastHandledRequestAt") == token and "currentRun" not in status


def history(source: Object) -> list[Object]:
    """Its ended runs, newest first."""
    return list(source.get("status", {}).get("history", []))


def told(source: Object) -> dict[str, tuple[str, str, str]]:
    """Status, reason and message of each condition; what differs from run to run is written <took>, <run>, <time>."""
    conditions = source.get("status", {}).get("conditions", [])
    return {one["type"]: (one["status"], one["reason"], steady(one["message"])) for one in conditions}


def steady(text: str) -> str:
    """A message without what differs from run to run."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>", text)
    return re.sub(r"\bin (\d+ms|\d+\.\ds|\d+m(\d+s)?)(?=$|;)", "in <took>", text)


def secret(name: str, **data: str) -> Object:
    """A Secret's manifest."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}
