"""Services: their addresses and ports are given out as data, since nothing forwards to them here (`pkg/registry/core/service`)."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.writing.networkchecks import NODE_PORTS

Object = Mapping[str, Any]
CLUSTER_NETWORK = ipaddress.ip_network("10.96.0.0/12")
HEADLESS = "None"


def prepare_service(service: dict[str, Any], old: Object | None) -> None:
    """Complete addresses and ports; those of before are kept."""
    spec = service["spec"]
    if spec["type"] == "ExternalName":
        _drop_addresses(spec, old)
        return
    if old is not None:
        _keep_addresses(spec, old["spec"])
    _give_address(spec, service["metadata"]["uid"])
    if spec["type"] in {"NodePort", "LoadBalancer"} and spec.get("allocateLoadBalancerNodePorts", True):
        _give_ports(spec, service["metadata"]["uid"])


def _drop_addresses(spec: dict[str, Any], old: Object | None) -> None:
    """A Service that became an ExternalName gives back what it had."""
    for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if old is not None and spec.get(name) == old["spec"].get(name):
            spec.pop(name, None)


def _keep_addresses(spec: dict[str, Any], old: Object) -> None:
    if not spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec |= {name: old[name] for name in ("clusterIP", "clusterIPs") if old.get(name)}
    if spec["type"] not in {"NodePort", "LoadBalancer"}:
        _forget_ports(spec, old)
        return
    before = {(port["protocol"], port["port"]): port.get("nodePort") for port in old.get("ports") or ()}
    for port in spec.get("ports") or ():
        number = before.get((port["protocol"], port["port"]))
        if not port.get("nodePort") and number:
            port["nodePort"] = number


def _forget_ports(spec: dict[str, Any], old: Object) -> None:
    for name in ("externalTrafficPolicy", "allocateLoadBalancerNodePorts"):
        if spec.get(name) == old.get(name):
            spec.pop(name, None)
    if old["type"] in {"NodePort", "LoadBalancer"}:
        known = {port.get("nodePort") for port in old.get("ports") or ()}
        for port in spec.get("ports") or ():
            if port.get("nodePort") in known:
                port.pop("nodePort", None)


def _give_address(spec: dict[str, Any], uid: str) -> None:
    if not spec.get("clusterIP") and spec.get("clusterIPs"):
        spec["clusterIP"] = spec["clusterIPs"][0]
    if not spec.get("clusterIP"):
        spec["clusterIP"] = str(CLUSTER_NETWORK[2 + _number(uid) % (CLUSTER_NETWORK.num_addresses - 3)])
    if not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    is_open = spec["clusterIP"] == HEADLESS and not spec.get("selector")
    spec.setdefault("ipFamilyPolicy", "RequireDualStack" if is_open else "SingleStack")
    spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if is_open else ["IPv6" if ":" in spec["clusterIP"] else "IPv4"])


def _give_ports(spec: dict[str, Any], uid: str) -> None:
    taken = {port.get("nodePort") for port in spec.get("ports") or ()}
    for index, port in enumerate(spec.get("ports") or ()):
        if not port.get("nodePort"):
            offset = _number(f"{uid}/{index}")
            free = (NODE_PORTS[(offset + step) % len(NODE_PORTS)] for step in range(len(NODE_PORTS)))
            port["nodePort"] = next(number for number in free if number not in taken)
            taken.add(port["nodePort"])


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def check_service(service: Object, old: Object | None) -> Iterator[Cause]:
    spec = service["spec"]
    if spec.get("clusterIPs") and spec.get("clusterIP") != spec["clusterIPs"][0]:
        yield cause.invalid("spec.clusterIPs", spec["clusterIPs"], "first value must match `clusterIP`")
    if old is None or "ExternalName" in (spec["type"], old["spec"]["type"]):
        return
    if old["spec"].get("clusterIPs") and spec.get("clusterIPs", [])[:1] != old["spec"]["clusterIPs"][:1]:
        yield cause.invalid("spec.clusterIPs[0]", spec.get("clusterIPs"), "may not change once set")
