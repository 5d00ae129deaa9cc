"""Cells of Services, nodes, storage, and what else is about a cluster (`k8s.io/kubernetes/pkg/printers`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from syncsource.localplane.serving.labelcells import formatted_labels, formatted_selector

Object = Mapping[str, Any]
Cell = Callable[[Object], Any]
NONE = "<none>"
UNSET = "<unset>"
_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _spec(obj: Object) -> Object:
    return obj.get("spec") or {}


def _status(obj: Object) -> Object:
    return obj.get("status") or {}


def _few(items: Iterable[str], most: int = 3) -> str:
    found = list(items)
    shown = ",".join(found[:most])
    return f"{shown} + {len(found) - most} more..." if len(found) > most else shown


def _service_ports(service: Object) -> str:
    pieces = []
    for port in _spec(service).get("ports") or ():
        number = f"{port['port']}:{port['nodePort']}" if port.get("nodePort") else str(port["port"])
        pieces.append(f"{number}/{port['protocol']}")
    return ",".join(pieces) or NONE


def _balancers(obj: Object) -> list[str]:
    ingress = (_status(obj).get("loadBalancer") or {}).get("ingress") or ()
    return list(dict.fromkeys(one.get("ip") or one.get("hostname") or "" for one in ingress))


def _service_external(service: Object) -> str:
    spec, external = _spec(service), list(_spec(service).get("externalIPs") or ())
    match spec.get("type"):
        case "ExternalName":
            return str(spec.get("externalName") or "")
        case "LoadBalancer":
            return ",".join([*_balancers(service), *external]) or "<pending>"
    return ",".join(external) or NONE


def _endpoint_addresses(obj: Object) -> str:
    return _few(place for subset in obj.get("subsets") or () for place in _places(subset)) if obj.get("subsets") else NONE


def _places(subset: Object) -> list[str]:
    addresses = [one["ip"] for one in subset.get("addresses") or ()]
    ports = [one["port"] for one in subset.get("ports") or ()]
    return [_host_port(address, port) for port in ports for address in addresses] if ports else addresses


def _host_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _slice_ports(obj: Object) -> str:
    return _few(str(one.get("port") or one.get("name") or "*") for one in obj.get("ports") or ()) or UNSET


def _slice_addresses(obj: Object) -> str:
    return _few(address for one in obj.get("endpoints") or () for address in one.get("addresses") or ()) or UNSET


def _ingress_hosts(obj: Object) -> str:
    rules = _spec(obj).get("rules") or ()
    shown = [rule["host"] for rule in rules[:3] if rule.get("host")]
    if not shown:
        return "*"
    return ",".join(shown) + (f" + {len(rules) - 3} more..." if len(rules) > 3 else "")


def _class_parameters(obj: Object) -> str:
    given = _spec(obj).get("parameters")
    if not given:
        return NONE
    kind = f"{given['kind']}.{given['apiGroup']}" if given.get("apiGroup") else given["kind"]
    return f"{kind}/{given['name']}"


def _node_status(node: Object) -> str:
    ready = [one.get("status") == "True" for one in _status(node).get("conditions") or () if one.get("type") == "Ready"]
    status = ("Ready" if ready[0] else "NotReady") if ready else "Unknown"
    return f"{status},SchedulingDisabled" if _spec(node).get("unschedulable") else status


def _node_roles(node: Object) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = node["metadata"].get("labels") or {}
    roles = {name.removeprefix(prefix) for name in labels if name.startswith(prefix) and name != prefix}
    return ",".join(sorted(roles | ({labels["kubernetes.io/role"]} if labels.get("kubernetes.io/role") else set()))) or NONE


def _node_address(kind: str) -> Cell:
    return lambda node: next((one["address"] for one in _status(node).get("addresses") or () if one.get("type") == kind), NONE)


def _node_info(field: str) -> Cell:
    return lambda node: (_status(node).get("nodeInfo") or {}).get(field) or "<unknown>"


def _phase(obj: Object) -> str:
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else str(_status(obj).get("phase") or "")


def _modes(modes: Iterable[str] | None) -> str:
    given = set(modes or ())
    return ",".join(short for mode, short in _MODES.items() if mode in given)


def _is_bound(claim: Object) -> bool:
    return bool(_spec(claim).get("volumeName"))


def _storage_class(obj: Object) -> str:
    old = (obj["metadata"].get("annotations") or {}).get("volume.beta.kubernetes.io/storage-class")
    return old if old is not None else str(_spec(obj).get("storageClassName") or "")


def _volume_claim(volume: Object) -> str:
    claim = _spec(volume).get("claimRef")
    return f"{claim.get('namespace') or ''}/{claim.get('name') or ''}" if claim else ""


def _quota(obj: Object, *, limits: bool) -> str:
    status = _status(obj)
    used = status.get("used") or {}
    named = sorted((status.get("hard") or {}).items())
    return ", ".join(f"{name}: {used.get(name, '0')}/{hard}" for name, hard in named if name.startswith("limits.") is limits)


def _amount(value: Any) -> str:
    return "N/A" if value is None else str(value)


def _scaler_targets(scaler: Object) -> str:
    specs, current = _spec(scaler).get("metrics") or (), _status(scaler).get("currentMetrics") or ()
    found = [_metric(spec, current[index] if index < len(current) else {}) for index, spec in enumerate(specs)]
    if not found:
        return NONE
    return ", ".join(found[:2]) + (f" + {len(found) - 2} more..." if len(found) > 2 else "")


def _metric(spec: Object, status: Object) -> str:
    field = spec["type"][:1].lower() + spec["type"][1:]
    wanted = (spec.get(field) or {}).get("target") or {}
    now = (status.get(field) or {}).get("current") or {}
    prefix = f"{spec[field]['name']}: " if field in {"resource", "containerResource"} and spec.get(field) else ""
    if wanted.get("averageValue") is not None:
        suffix = " (avg)" if field in {"object", "external"} else ""
        return f"{prefix}{now.get('averageValue', '<unknown>')}/{wanted['averageValue']}{suffix}"
    if prefix:
        return f"{prefix}{_percent(now, '<unknown>')}/{_percent(wanted, '<auto>')}"
    return f"{now.get('value', '<unknown>')}/{wanted.get('value', '0')}"


def _percent(value: Object, otherwise: str) -> str:
    found = value.get("averageUtilization")
    return otherwise if found is None else f"{found}%"


def _scaler_percent(scaler: Object) -> str:
    wanted, current = _spec(scaler).get("targetCPUUtilizationPercentage"), _status(scaler).get("currentCPUUtilizationPercentage")
    return f"{'<unknown>' if current is None else f'{current}%'}/{'<auto>' if wanted is None else f'{wanted}%'}"


def _scaler_reference(scaler: Object) -> str:
    target = _spec(scaler)["scaleTargetRef"]
    return f"{target['kind']}/{target['name']}"


def _revision_owner(obj: Object) -> str:
    owner = next((one for one in obj["metadata"].get("ownerReferences") or () if one.get("controller")), None)
    if owner is None:
        return NONE
    group = owner["apiVersion"].rpartition("/")[0]
    return f"{owner['kind'].lower()}{'.' + group if group else ''}/{owner['name']}"


CLUSTER_CELLS: dict[str, Cell] = {
    "service_address": lambda service: _spec(service).get("clusterIP") or NONE,
    "service_external": _service_external,
    "service_ports": _service_ports,
    "service_selector": lambda service: formatted_labels(_spec(service).get("selector") or {}),
    "endpoint_addresses": _endpoint_addresses,
    "slice_ports": _slice_ports,
    "slice_addresses": _slice_addresses,
    "policy_selector": lambda policy: formatted_selector(_spec(policy).get("podSelector")),
    "ingress_class": lambda obj: _spec(obj).get("ingressClassName") or NONE,
    "ingress_hosts": _ingress_hosts,
    "ingress_address": lambda obj: ",".join(_balancers(obj)),
    "ingress_ports": lambda obj: "80, 443" if _spec(obj).get("tls") else "80",
    "class_parameters": _class_parameters,
    "node_status": _node_status,
    "node_roles": _node_roles,
    "node_internal": _node_address("InternalIP"),
    "node_external": _node_address("ExternalIP"),
    "node_os": _node_info("osImage"),
    "node_kernel": _node_info("kernelVersion"),
    "node_runtime": _node_info("containerRuntimeVersion"),
    "claim_status": _phase,
    "claim_volume": lambda claim: _spec(claim).get("volumeName") or "",
    "claim_capacity": lambda claim: (_status(claim).get("capacity") or {}).get("storage", "0") if _is_bound(claim) else "",
    "claim_modes": lambda claim: _modes(_status(claim).get("accessModes")) if _is_bound(claim) else "",
    "claim_class": _storage_class,
    "claim_attributes": lambda claim: _spec(claim).get("volumeAttributesClassName") or UNSET,
    "volume_capacity": lambda volume: (_spec(volume).get("capacity") or {}).get("storage", "0"),
    "volume_modes": lambda volume: _modes(_spec(volume).get("accessModes")),
    "volume_claim": _volume_claim,
    "volume_reason": lambda volume: _status(volume).get("reason") or "",
    "volume_mode": lambda obj: _spec(obj).get("volumeMode") or UNSET,
    "quota_requests": lambda quota: _quota(quota, limits=False),
    "quota_limits": lambda quota: _quota(quota, limits=True),
    "budget_minimum": lambda budget: _amount(_spec(budget).get("minAvailable")),
    "budget_maximum": lambda budget: _amount(_spec(budget).get("maxUnavailable")),
    "budget_allowed": lambda budget: _status(budget).get("disruptionsAllowed") or 0,
    "scaler_reference": _scaler_reference,
    "scaler_percent": _scaler_percent,
    "scaler_targets": _scaler_targets,
    "scaler_minimum": lambda scaler: str(_spec(scaler).get("minReplicas", UNSET)),
    "scaler_maximum": lambda scaler: str(_spec(scaler).get("maxReplicas") or 0),
    "scaler_replicas": lambda scaler: str(_status(scaler).get("currentReplicas") or 0),
    "class_default": lambda obj: bool(obj.get("globalDefault")),
    "storage_reclaim": lambda obj: obj.get("reclaimPolicy") or "Delete",
    "storage_binding": lambda obj: obj.get("volumeBindingMode") or UNSET,
    "storage_expansion": lambda obj: bool(obj.get("allowVolumeExpansion")),
    "revision_owner": _revision_owner,
    "revision_number": lambda obj: str(obj.get("revision") or 0),
}
