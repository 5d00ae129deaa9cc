"""What is wrong with Pods and with what makes Pods (`pkg/apis/core/validation` and `pkg/apis/apps/validation`), and how it is completed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.admission.objectmeta import dns_label
from syncsource.localplane.registry.labels import matches_labels

Object = Mapping[str, Any]


def check_pod_spec(path: str, spec: Object) -> Iterator[Cause]:
    if not spec["containers"]:
        yield cause.required(f"{path}.containers")
    volumes = {volume["name"] for volume in spec.get("volumes") or ()}
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            yield from _check_container(f"{path}.{field}[{index}]", container, volumes)


def _check_container(path: str, container: Object, volumes: set[str]) -> Iterator[Cause]:
    yield from (cause.invalid(f"{path}.name", container["name"], text) for text in dns_label(container["name"]))
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        if mount["name"] not in volumes:
            yield cause.not_found(f"{path}.volumeMounts[{index}].name", mount["name"])


def check_job(obj: Object, old: Object | None) -> Iterator[Cause]:
    spec = obj["spec"]["template"].get("spec")
    if spec is None:
        yield cause.required("spec.template.spec")
        return
    yield from check_pod_spec("spec.template.spec", spec)
    if spec["restartPolicy"] == "Always":
        yield cause.not_supported("spec.template.spec.restartPolicy", "Always", ("OnFailure", "Never"))


def prepare_deployment(obj: dict[str, Any], old: Object | None) -> None:
    strategy = obj["spec"]["strategy"]
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = {"maxSurge": "25%", "maxUnavailable": "25%", **(strategy.get("rollingUpdate") or {})}
    if old is None:
        obj["status"] = {}


def check_deployment(obj: Object, old: Object | None) -> Iterator[Cause]:
    spec = obj["spec"]
    template, selector, strategy = spec["template"], spec["selector"], spec["strategy"]
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not (selector.get("matchLabels") or selector.get("matchExpressions")):
        yield cause.invalid("spec.selector", selector, "empty selector is invalid for deployment")
    elif not matches_labels(selector, labels):
        yield cause.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    if old is not None and old["spec"]["selector"] != selector:
        yield cause.invalid("spec.selector", selector, "field is immutable")
    if strategy["type"] == "Recreate" and strategy.get("rollingUpdate") is not None:
        yield cause.forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
    yield from _check_template(template.get("spec"))


def _check_template(spec: Object | None) -> Iterator[Cause]:
    if spec is None:
        yield cause.required("spec.template.spec")
        return
    yield from check_pod_spec("spec.template.spec", spec)
    if spec["restartPolicy"] != "Always":
        yield cause.not_supported("spec.template.spec.restartPolicy", spec["restartPolicy"], ("Always",))
