"""What is wrong with Pods, their containers and volumes (`pkg/apis/core/validation`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.admission.cel.quantity import parse_quantity
from syncsource.localplane.admission.objectmeta import dns_label, dns_subdomain, label_causes, qualified_name
from syncsource.localplane.writing.amounts import address, not_negative, port_name, port_number, port_or_name

Object = Mapping[str, Any]
_ENV_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_CONVERTIBLE = frozenset({"spec.restartPolicy", "spec.schedulerName", "status.phase"})
_FIELD_NAMES = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs",
    "status.podIP", "status.podIPs",
)  # fmt: skip


def _pod_spec(spec: Object, path: str) -> Iterator[Cause]:
    volumes = [one["name"] for one in spec.get("volumes") or ()]
    yield from _duplicates(volumes, f"{path}.volumes", "name")
    names: list[str] = []
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            place = f"{path}.{field}[{index}]"
            if container["name"] and container["name"] in names:
                yield cause.duplicate(f"{place}.name", container["name"])
            names.append(container["name"])
            yield from _mounts(container, place, set(volumes))
            yield from _probes_of(container, place, is_init=field == "initContainers")
    yield from label_causes(spec.get("nodeSelector") or {}, f"{path}.nodeSelector")
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        yield from address(f"{path}.hostAliases[{index}].ip", alias["ip"])
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2**31 - 1:
        yield cause.invalid(f"{path}.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive")
    yield from _names_in(spec, path)


def _names_in(spec: Object, path: str) -> Iterator[Cause]:
    checks: tuple[tuple[str, Callable[[str], Iterator[str]]], ...] = (
        ("serviceAccountName", dns_subdomain), ("nodeName", dns_subdomain), ("hostname", dns_label), ("subdomain", dns_label),
        ("priorityClassName", dns_subdomain),
    )  # fmt: skip
    for field, check in checks:
        if spec.get(field):
            yield from (cause.invalid(f"{path}.{field}", spec[field], text) for text in check(spec[field]))


def _duplicates(names: list[str], path: str, field: str) -> Iterator[Cause]:
    for index, name in enumerate(names):
        if name and name in names[:index]:
            yield cause.duplicate(f"{path}[{index}].{field}", name)


def _mounts(container: Object, path: str, volumes: set[str]) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        place = f"{path}.volumeMounts[{index}]"
        if mount["name"] and mount["name"] not in volumes:
            yield cause.not_found(f"{place}.name", mount["name"])
        if mount["mountPath"] and mount["mountPath"] in seen:
            yield cause.invalid(f"{place}.mountPath", mount["mountPath"], "must be unique")
        seen.add(mount["mountPath"])


def _probes_of(container: Object, path: str, *, is_init: bool) -> Iterator[Cause]:
    is_sidecar = container.get("restartPolicy") == "Always"
    for field in _PROBES:
        probe = container.get(field)
        if probe is None:
            continue
        if is_init and not is_sidecar:
            yield cause.forbidden(f"{path}.{field}", "may not be set for init containers without restartPolicy=Always")
        elif field != "readinessProbe" and probe["successThreshold"] != 1:
            yield cause.invalid(f"{path}.{field}.successThreshold", probe["successThreshold"], "must be 1")
    if container.get("lifecycle") and is_init and not is_sidecar:
        yield cause.forbidden(f"{path}.lifecycle", "may not be set for init containers without restartPolicy=Always")


def _container(container: Object, path: str) -> Iterator[Cause]:
    name, image = container["name"], container.get("image") or ""
    if name:
        yield from (cause.invalid(f"{path}.name", name, text) for text in dns_label(name))
    if not image:
        yield cause.required(f"{path}.image")
    elif image != image.strip():
        yield cause.invalid(f"{path}.image", image, "must not have leading or trailing whitespace")
    yield from _ports(container.get("ports") or (), f"{path}.ports")


def _ports(ports: Any, path: str) -> Iterator[Cause]:
    yield from _duplicates([port.get("name", "") for port in ports], path, "name")
    for index, port in enumerate(ports):
        place = f"{path}[{index}]"
        if port.get("name"):
            yield from (cause.invalid(f"{place}.name", port["name"], text) for text in port_name(port["name"]))
        if not port["containerPort"]:
            yield cause.required(f"{place}.containerPort")
        else:
            yield from port_number(f"{place}.containerPort", port["containerPort"])
        if port.get("hostPort"):
            yield from port_number(f"{place}.hostPort", port["hostPort"])


def _env(variable: Object, path: str) -> Iterator[Cause]:
    name, source = variable["name"], variable.get("valueFrom")
    if any(letter == "=" or not " " <= letter <= "~" for letter in name):
        text = "a valid environment variable name must consist only of printable ASCII characters other than '='"
        yield cause.invalid(f"{path}.name", name, text)
    if source is None:
        return
    given = [field for field in _ENV_SOURCES if source.get(field) is not None]
    if not given:
        wanted = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        yield cause.invalid(f"{path}.valueFrom", "", wanted)
    elif variable.get("value"):
        yield cause.invalid(f"{path}.valueFrom", "", "may not be specified when `value` is not empty")
    elif len(given) > 1:
        yield cause.invalid(f"{path}.valueFrom", "", "may not have more than one field specified at a time")
    if source.get("fieldRef"):
        yield from _field_ref(source["fieldRef"].get("fieldPath") or "", f"{path}.valueFrom.fieldRef")


def _field_ref(field: str, path: str) -> Iterator[Cause]:
    if not field or field in _FIELD_NAMES or field.startswith(("metadata.annotations['", "metadata.labels['")):
        return
    if field not in _CONVERTIBLE:
        detail = f"error converting fieldPath: field label not supported: {field}"
        yield cause.invalid(f"{path}.fieldPath", field, detail)
    else:
        yield cause.not_supported(f"{path}.fieldPath", field, _FIELD_NAMES)


def _env_from(source: Object, path: str) -> Iterator[Cause]:
    given = [field for field in ("configMapRef", "secretRef") if source.get(field) is not None]
    whole = path.rpartition("[")[0]
    if not given:
        yield cause.invalid(whole, "", "must specify one of: `configMapRef` or `secretRef`")
    elif len(given) > 1:
        yield cause.invalid(whole, "", "may not have more than one field specified at a time")
    for field in given:
        if not source[field].get("name"):
            yield cause.required(f"{path}.{field}.name")


def _key_selector(source: Object, path: str) -> Iterator[Cause]:
    if not source.get("name"):
        yield cause.required(f"{path}.name")


def _handler(handler: Object, path: str) -> Iterator[Cause]:
    given = [field for field in _HANDLERS if handler.get(field) is not None]
    if not given:
        yield cause.required(path, "must specify a handler type")
    yield from (cause.forbidden(f"{path}.{field}", "may not specify more than 1 handler type") for field in given[1:])


def _probe(probe: Object, path: str) -> Iterator[Cause]:
    yield from _handler(probe, path)
    names = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
    yield from not_negative(probe, path, *names)
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        yield cause.invalid(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0")


def _exec(action: Object, path: str) -> Iterator[Cause]:
    if not action.get("command"):
        yield cause.required(f"{path}.command")


def _action_port(action: Object, path: str) -> Iterator[Cause]:
    yield from port_or_name(f"{path}.port", action["port"])


def _resources(resources: Object, path: str) -> Iterator[Cause]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for field, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            place = f"{path}.{field}[{name}]"
            yield from _resource_name(name, place)
            if amount.startswith("-"):
                yield cause.invalid(place, amount, "must be greater than or equal to 0")
    for name, amount in requests.items():
        if name in limits and parse_quantity(amount) > parse_quantity(limits[name]):
            yield cause.invalid(f"{path}.requests", amount, f"must be less than or equal to {name} limit of {limits[name]}")


def _resource_name(name: str, path: str) -> Iterator[Cause]:
    yield from (cause.invalid(path, name, text) for text in qualified_name(name))
    if "/" not in name and name not in _RESOURCES and not name.startswith("hugepages-"):
        yield cause.invalid(path, name, "must be a standard resource type or fully qualified")
        yield cause.invalid(path, name, "must be a standard resource for containers")


def _node_selector(selector: Object, path: str) -> Iterator[Cause]:
    if not selector.get("nodeSelectorTerms"):
        yield cause.required(f"{path}.nodeSelectorTerms", "must have at least one node selector term")


def _spread(constraint: Object, path: str) -> Iterator[Cause]:
    if constraint["maxSkew"] <= 0:
        yield cause.invalid(f"{path}.maxSkew", constraint["maxSkew"], "must be greater than zero")


def _volume(volume: Object, path: str) -> Iterator[Cause]:
    if volume["name"]:
        yield from (cause.invalid(f"{path}.name", volume["name"], text) for text in dns_label(volume["name"]))
    sources = [field for field in volume if field != "name"]
    yield from (cause.forbidden(f"{path}.{field}", "may not specify more than 1 volume type") for field in sources[1:])
    for field, name in (("secret", "secretName"), ("configMap", "name")):
        if field in volume and not volume[field].get(name):
            yield cause.required(f"{path}.{field}.{name}")


def _toleration(toleration: Object, path: str) -> Iterator[Cause]:
    key, operator = toleration.get("key") or "", toleration.get("operator") or "Equal"
    if key:
        yield from (cause.invalid(f"{path}.key", key, text) for text in qualified_name(key))
    elif operator != "Exists":
        yield cause.invalid(
            f"{path}.operator", operator, 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        )
    if operator == "Exists" and toleration.get("value"):
        yield cause.invalid(f"{path}.operator", operator, "value must be empty when `operator` is 'Exists'")
    if toleration.get("tolerationSeconds") is not None and toleration.get("effect") != "NoExecute":
        yield cause.invalid(f"{path}.effect", toleration.get("effect") or "", "effect must be 'NoExecute' when `tolerationSeconds` is set")


POD_CHECKS: dict[str, Callable[[Object, str], Iterator[Cause]]] = {
    "core.v1.PodSpec": _pod_spec,
    "core.v1.Container": _container,
    "core.v1.EnvVar": _env,
    "core.v1.EnvFromSource": _env_from,
    "core.v1.SecretKeySelector": _key_selector,
    "core.v1.ConfigMapKeySelector": _key_selector,
    "core.v1.Probe": _probe,
    "core.v1.LifecycleHandler": _handler,
    "core.v1.ExecAction": _exec,
    "core.v1.HTTPGetAction": _action_port,
    "core.v1.TCPSocketAction": _action_port,
    "core.v1.GRPCAction": _action_port,
    "core.v1.ResourceRequirements": _resources,
    "core.v1.Volume": _volume,
    "core.v1.Toleration": _toleration,
    "core.v1.NodeSelector": _node_selector,
    "core.v1.TopologySpreadConstraint": _spread,
}
