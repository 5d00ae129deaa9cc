"""Random sequences of writes, what they may change, and how two servers' answers are compared."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from hypothesis import strategies as st

GROUP, KIND = "differential.example.dev", "Thing"
API = f"{GROUP}/v1"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
MERGE, JSON_PATCH, APPLY = ({"Content-Type": f"application/{kind}"} for kind in ("merge-patch+json", "json-patch+json", "apply-patch+yaml"))
Object = dict[str, Any]

_STRINGS = {"type": "array", "items": {"type": "string"}}
_PART = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "count": {"type": "integer"}}}
_SPEC = {
    "colour": {"type": "string", "enum": ["red", "blue"]},
    "size": {"type": "integer", "minimum": 0, "default": 1},
    "list": _STRINGS,
    "tags": {**_STRINGS, "x-kubernetes-list-type": "set"},
    "parts": {"type": "array", "items": _PART, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
}
_SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {"type": "object", "properties": _SPEC},
        "status": {"type": "object", "properties": {"phase": {"type": "string"}}},
    },
}
DEFINITION: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"things.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"plural": "things", "kind": KIND},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}, "schema": {"openAPIV3Schema": _SCHEMA}}
        ],
    },
}

words = st.sampled_from(["a", "b", "c"])
specs = st.fixed_dictionaries(
    {},
    optional={
        "colour": st.sampled_from(["red", "blue", "red", "blue", "pink"]),
        "size": st.integers(0, 3),
        "list": st.lists(words, max_size=2),
        "tags": st.lists(words, max_size=3, unique=True),
        "parts": st.lists(
            st.fixed_dictionaries({"name": words}, optional={"count": st.integers(0, 2)}), max_size=3, unique_by=lambda part: part["name"]
        ),
        "labels": st.dictionaries(words, words, max_size=2),
        "free": st.dictionaries(words, st.one_of(words, st.dictionaries(words, st.integers(0, 2), max_size=2)), max_size=2),
    },
)


@dataclass(frozen=True)
class Write:
    """One request. `stale` sends a resource version that was never the object's; `dry` changes nothing."""

    verb: str
    name: str = "x"
    spec: Object = field(default_factory=dict)
    manager: str = "one"
    force: bool = False
    dry: bool = False
    stale: bool = False
    held: bool = False

    @property
    def params(self) -> dict[str, str]:
        wanted = {"fieldManager": self.manager} if self.verb not in {"delete", "sweep"} else {}
        return {**wanted, **({"dryRun": "All"} if self.dry else {}), **({"force": "true"} if self.force else {})}


_names, _managers, _rarely = st.sampled_from(["x", "y"]), st.sampled_from(["one", "two"]), st.sampled_from([False, False, False, True])
writes = st.one_of(
    st.builds(Write, st.just("create"), _names, specs, _managers, dry=_rarely, held=_rarely),
    st.builds(Write, st.sampled_from(["update", "merge", "replace"]), _names, specs, _managers, dry=_rarely, stale=_rarely),
    st.builds(Write, st.just("apply"), _names, specs, _managers, st.booleans(), _rarely),
    st.builds(Write, st.just("apply"), _names, specs, _managers, st.booleans(), _rarely),
    st.builds(Write, st.sampled_from(["status", "release"]), _names, specs, _managers, dry=_rarely),
    st.builds(Write, st.just("delete"), _names, dry=_rarely, stale=_rarely),
    st.builds(Write, st.just("sweep"), dry=_rarely),
)
sequences = st.lists(writes, min_size=1, max_size=12)


class Side:
    """One server, and a namespace of its own for each sequence; a server of custom resources alone has none, and asks for none."""

    def __init__(self, client: httpx.Client) -> None:
        self.client, self.path = client, ""
        self.has_namespaces = client.get("/api/v1/namespaces").status_code == 200

    def begin(self) -> None:
        namespace = f"d{uuid.uuid4().hex[:12]}"
        if self.has_namespaces:
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
            made = self.client.post("/api/v1/namespaces", json=body)
            assert made.status_code == 201, made.text
        self.path = f"/apis/{API}/namespaces/{namespace}/things"

    def get(self, name: str) -> Object | None:
        found = self.client.get(f"{self.path}/{name}")
        return found.json() if found.status_code == 200 else None

    def list(self) -> tuple[dict[str, Object], str]:
        """The objects by name, and the version from which a watch goes on."""
        found = self.client.get(self.path).json()
        return {item["metadata"]["name"]: item for item in found["items"]}, found["metadata"]["resourceVersion"]

    def send(self, write: Write) -> httpx.Response:
        body: Object = {"apiVersion": API, "kind": KIND, "metadata": {"name": write.name}, "spec": write.spec}
        path, params = f"{self.path}/{write.name}", write.params
        match write.verb:
            case "create":
                body["metadata"] |= {"labels": {"held": "yes"}, "finalizers": ["example.dev/hold"]} if write.held else {}
                return self.client.post(self.path, json=body, params=params)
            case "update":
                before = self.get(write.name) or body
                version = "1" if write.stale else before["metadata"].get("resourceVersion", "1")
                return self.client.put(
                    path, json={**before, "metadata": {**before["metadata"], "resourceVersion": version}, "spec": write.spec}, params=params
                )
            case "merge":
                version = {"resourceVersion": "1"} if write.stale else {}
                return self.client.patch(path, json={"metadata": version, "spec": write.spec}, headers=MERGE, params=params)
            case "replace":
                operations = [
                    {"op": "test", "path": "/kind", "value": "Other" if write.stale else KIND},
                    {"op": "add", "path": "/spec", "value": write.spec},
                ]
                return self.client.patch(path, json=operations, headers=JSON_PATCH, params=params)
            case "apply":
                return self.client.patch(path, json=body, headers=APPLY, params=params)
            case "status":
                phase = {"spec": write.spec, "status": {"phase": write.spec.get("colour", "none")}}
                return self.client.patch(f"{path}/status", json=phase, headers=MERGE, params=params)
            case "release":
                return self.client.patch(path, json={"metadata": {"finalizers": None}}, headers=MERGE, params=params)
            case "delete":
                options = {"preconditions": {"uid": "other"}} if write.stale else {}
                options |= {"dryRun": ["All"]} if write.dry else {}
                return self.client.request("DELETE", path, json={"apiVersion": "v1", "kind": "DeleteOptions", **options})
        return self.client.delete(self.path, params={**params, "labelSelector": "held"})

    def replayed(self, since: str, state: Mapping[str, Object], until: str) -> dict[str, Object]:
        """`state` with everything that a watch tells after `since`, up to the object named `until`."""
        found = dict(state)
        with self.client.stream("GET", self.path, params={"watch": "1", "resourceVersion": since, "timeoutSeconds": 10}) as response:
            for line in response.iter_lines():
                event = json.loads(line)
                name = event["object"]["metadata"]["name"]
                if name == until:
                    return found
                if event["type"] == "DELETED":
                    del found[name]
                else:
                    assert (event["type"] == "ADDED") is (name not in found), event
                    found[name] = event["object"]
        raise AssertionError(f"the watch ended before it told of {until}")


_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIMES = ("creationTimestamp", "deletionTimestamp", "time")


def comparable(answer: httpx.Response) -> Object:
    """What two servers must answer alike: code and reason of a refusal, or the object less its identity and times."""
    body = answer.json()
    if body["kind"] == "Status":
        causes = sorted((cause.get("field", ""), cause["reason"]) for cause in (body.get("details") or {}).get("causes") or [])
        return {"code": answer.status_code, "reason": body.get("reason"), "causes": causes}
    return {"code": answer.status_code, "body": _plain(body)}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "managedFields" in value:  # ordered by their times, which no two servers share
        entries = sorted(value["managedFields"], key=lambda entry: (entry["operation"], entry["manager"], entry.get("subresource", "")))
        value = {**value, "managedFields": entries}
    hidden = {"uid", "resourceVersion", "namespace", "continue", *_TIMES}
    return {name: _plain(item) for name, item in value.items() if name not in hidden}


def applied_fields(value: Any, schema: Any = None) -> Object:
    """The fieldsV1 of an applied spec, by the rules of its schema."""
    found: Object = {}
    for name, item in value.items():
        if name == "tags" and schema is None:
            below = {f"v:{json.dumps(tag)}": {} for tag in item}
        elif name == "parts" and schema is None:
            below = {
                f"k:{json.dumps({'name': part['name']}, separators=(',', ':'))}": {".": {}, **{f"f:{key}": {} for key in part}}
                for part in item
            }
        elif isinstance(item, dict) and item:
            below = applied_fields(item, "open")
            if schema is not None:
                below = {".": {}, **below}
        else:
            below = {}
        if below or item not in ([],) or name == "list" or schema is not None:
            found[f"f:{name}"] = below
    return found
