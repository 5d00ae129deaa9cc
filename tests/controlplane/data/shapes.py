"""A CustomResourceDefinition in the shape of those that people bring: thousands of lines, deep, several versions, everything in it."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
STRING: Schema = {"type": "string"}
INT_OR_STRING: Schema = {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}
LABEL = r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"


def struct(description: str = "", required: list[str] | None = None, **properties: Schema) -> Schema:
    found: Schema = {"type": "object", "properties": properties}
    return found | ({"required": required} if required else {}) | ({"description": description} if description else {})


def listed(items: Schema, *keys: str, **more: Any) -> Schema:
    kind = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)} if keys else {"x-kubernetes-list-type": "atomic"}
    return {"type": "array", "items": items, **kind, **more}


def mapped(value: Schema) -> Schema:
    return {"type": "object", "additionalProperties": value}


def selector() -> Schema:
    expression = struct(
        "A label selector requirement.",
        ["key", "operator"],
        key=STRING,
        operator={"type": "string", "enum": ["In", "NotIn", "Exists", "DoesNotExist"]},
        values=listed(STRING),
    )
    found = struct(
        "Selects objects by their labels.", matchExpressions=listed(expression), matchLabels=mapped({**STRING, "pattern": LABEL})
    )
    return {**found, "x-kubernetes-map-type": "atomic"}


def affinity() -> Schema:
    term = struct(
        "", ["topologyKey"], labelSelector=selector(), namespaceSelector=selector(), namespaces=listed(STRING), topologyKey=STRING
    )
    weighted = struct("", ["podAffinityTerm", "weight"], podAffinityTerm=term, weight={"type": "integer", "format": "int32", "minimum": 1})
    both = struct(
        "", preferredDuringSchedulingIgnoredDuringExecution=listed(weighted), requiredDuringSchedulingIgnoredDuringExecution=listed(term)
    )
    return struct("Where it may run.", podAffinity=both, podAntiAffinity=both)


def container() -> Schema:
    key_ref = struct("", ["key"], key=STRING, name={**STRING, "default": ""}, optional={"type": "boolean"})
    env = struct(
        "An environment variable.", ["name"], name=STRING, value=STRING, valueFrom=struct("", secretKeyRef=key_ref, configMapKeyRef=key_ref)
    )
    probe = struct(
        "",
        httpGet=struct("", ["port"], path=STRING, port=INT_OR_STRING, scheme={"type": "string", "default": "HTTP"}),
        periodSeconds={"type": "integer", "format": "int32", "default": 10},
    )
    resources = struct(
        "", limits=mapped(INT_OR_STRING), requests=mapped({**INT_OR_STRING, "pattern": r"^(\+|-)?[0-9.]+([KMGTPE]i|[mkMGTPE])?$"})
    )
    port = struct(
        "", ["containerPort"], containerPort={"type": "integer", "format": "int32"}, protocol={**STRING, "default": "TCP"}, name=STRING
    )
    return struct(
        "A container.",
        ["name"],
        name={**STRING, "maxLength": 63},
        image=STRING,
        args=listed(STRING),
        env=listed(env, "name"),
        ports=listed(port, "containerPort", "protocol"),
        resources=resources,
        livenessProbe=probe,
        readinessProbe=probe,
        startupProbe=probe,
    )


def spec() -> Schema:
    endpoint = struct(
        "An endpoint to be scraped.",
        port=STRING,
        targetPort=INT_OR_STRING,
        interval={**STRING, "pattern": "^(([0-9]+)(ms|s|m|h))+$"},
        params=mapped(listed(STRING)),
        scheme={"type": "string", "enum": ["http", "https"]},
        selector=selector(),
    )
    template = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
    return struct(
        "What is wanted.",
        ["selector"],
        replicas={"type": "integer", "format": "int32", "default": 1, "minimum": 0},
        selector=selector(),
        endpoints=listed(endpoint, maxItems=100),
        affinity=affinity(),
        containers=listed(container(), "name"),
        initContainers=listed(container(), "name"),
        sidecars=mapped(container()),
        template=template,
        settings={"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        retention={"type": "string", "default": "24h", "format": "duration"},
        paused={"type": "boolean"},
    )


def version(name: str, *, stored: bool, extra: Schema) -> Schema:
    status = struct(
        "What there is.",
        replicas={"type": "integer", "format": "int32"},
        selector=STRING,
        conditions=listed(
            struct("", ["type", "status"], type=STRING, status=STRING, lastTransitionTime={**STRING, "format": "date-time"}), "type"
        ),
    )
    wanted = spec()
    wanted["properties"] |= extra
    return {
        "name": name,
        "served": True,
        "storage": stored,
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
        "additionalPrinterColumns": [
            {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
            {"name": "Paused", "type": "boolean", "jsonPath": ".spec.paused", "priority": 1},
        ],
        "schema": {"openAPIV3Schema": struct("Watches over services.", ["spec"], spec=wanted, status=status)},
    }


def definition() -> Schema:
    """Group ``shapes.example``, kind Monitor: v1alpha1, v1beta1 and v1, which is stored."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "monitors.shapes.example", "annotations": {"controller-gen.kubebuilder.io/version": "v0.17.0"}},
        "spec": {
            "group": "shapes.example",
            "scope": "Namespaced",
            "names": {"kind": "Monitor", "listKind": "MonitorList", "plural": "monitors", "singular": "monitor", "shortNames": ["mon"]},
            "conversion": {"strategy": "None"},
            "versions": [
                version("v1alpha1", stored=False, extra={"jobLabel": STRING}),
                version("v1beta1", stored=False, extra={"jobLabel": STRING, "tier": {**STRING, "default": "gold"}}),
                version("v1", stored=True, extra={"jobLabel": STRING, "limits": mapped({"type": "integer", "format": "int64"})}),
            ],
        },
    }
