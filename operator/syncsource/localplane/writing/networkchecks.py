"""What is wrong with Services, Ingresses, NetworkPolicies and Endpoints (`pkg/apis/core`, `networking` and `discovery`)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.admission.objectmeta import dns_1035_label, dns_label, dns_subdomain, label_causes
from syncsource.localplane.writing.amounts import address, network, port_name, port_number, port_or_name

Object = Mapping[str, Any]
NODE_PORTS = range(30000, 32768)


def _service(spec: Object, path: str) -> Iterator[Cause]:
    kind, addresses, ports = spec["type"], spec.get("clusterIPs") or [], spec.get("ports") or []
    is_headless = "None" in addresses or spec.get("clusterIP") == "None"
    if not ports and not is_headless and kind != "ExternalName":
        yield cause.required(f"{path}.ports")
    if is_headless and kind in {"NodePort", "LoadBalancer"}:
        yield cause.invalid(f"{path}.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        yield from _external(spec, path)
    for index, one in enumerate(addresses if kind != "ExternalName" else ()):
        if one not in {"None", ""}:
            yield from address(f"{path}.clusterIPs[{index}]", one)
    yield from label_causes(spec.get("selector") or {}, f"{path}.selector")
    for index, one in enumerate(spec.get("externalIPs") or ()):
        yield from address(f"{path}.externalIPs[{index}]", one)
    yield from _service_ports(ports, f"{path}.ports", kind)


def _external(spec: Object, path: str) -> Iterator[Cause]:
    for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(field):
            yield cause.forbidden(f"{path}.{field}", "may not be set for ExternalName services")
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        yield cause.required(f"{path}.externalName")
    else:
        yield from (cause.invalid(f"{path}.externalName", name, text) for text in dns_subdomain(name))


def _service_ports(ports: list[Object], path: str, kind: str) -> Iterator[Cause]:
    names: set[str] = set()
    places: set[tuple[Any, Any]] = set()
    for index, port in enumerate(ports):
        place, name = f"{path}[{index}]", port.get("name") or ""
        if not name and len(ports) > 1:
            yield cause.required(f"{place}.name")
        elif name in names:
            yield cause.duplicate(f"{place}.name", name)
        elif name:
            yield from (cause.invalid(f"{place}.name", name, text) for text in dns_label(name))
            names.add(name)
        yield from port_number(f"{place}.port", port["port"])
        yield from port_or_name(f"{place}.targetPort", port["targetPort"])
        yield from _node_port(port, place, kind)
        if (port["protocol"], port["port"]) in places:
            same = {"AppProtocol": None, "Name": "", "NodePort": 0, "Port": port["port"], "Protocol": port["protocol"], "TargetPort": 0}
            yield cause.duplicate(place, same)
        places.add((port["protocol"], port["port"]))


def _node_port(port: Object, path: str, kind: str) -> Iterator[Cause]:
    number = port.get("nodePort")
    if number and kind not in {"NodePort", "LoadBalancer"}:
        yield cause.forbidden(f"{path}.nodePort", f"may not be used when `type` is '{kind}'")
    elif number and number not in NODE_PORTS:
        text = "provided port is not in the valid range. The range of valid ports is 30000-32767"
        yield cause.invalid(f"{path}.nodePort", number, text)


def _ingress(spec: Object, path: str) -> Iterator[Cause]:
    if not spec.get("rules") and spec.get("defaultBackend") is None:
        yield cause.invalid(path, None, "either `defaultBackend` or `rules` must be specified")
    for index, rule in enumerate(spec.get("rules") or ()):
        host = rule.get("host") or ""
        yield from _host(f"{path}.rules[{index}].host", host)


def _host(path: str, host: str) -> Iterator[Cause]:
    if not host:
        return
    try:
        ipaddress.ip_address(host)
    except ValueError:
        yield from (cause.invalid(path, host, text) for text in dns_subdomain(host.removeprefix("*.")))
    else:
        yield cause.invalid(path, host, "must be a DNS name, not an IP address")


def _ingress_path(one: Object, path: str) -> Iterator[Cause]:
    kind, text = one.get("pathType"), one.get("path") or ""
    if kind is None:
        yield cause.required(f"{path}.pathType", "pathType must be specified")
    elif not text.startswith("/") and (kind != "ImplementationSpecific" or text):
        yield cause.invalid(f"{path}.path", text, "must be an absolute path")
    elif kind in {"Exact", "Prefix"}:
        for part in ("//", "/./", "/../", "%2f", "%2F"):
            if part in text:
                yield cause.invalid(f"{path}.path", text, f"must not contain '{part}'")


def _backend(backend: Object, path: str) -> Iterator[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield cause.invalid(path, "", "cannot set both resource and service backends")
    elif service is not None:
        yield from _backend_service(service, path)
    elif resource is None:
        yield cause.invalid(path, "", "resource or service backend is required")


def _backend_service(service: Object, path: str) -> Iterator[Cause]:
    if service["name"]:
        yield from (cause.invalid(f"{path}.service.name", service["name"], text) for text in dns_1035_label(service["name"]))
    port = service.get("port") or {}
    if port.get("name") and port.get("number"):
        yield cause.invalid(path, "", "cannot set both port name & port number")
    elif port.get("name"):
        yield from (cause.invalid(f"{path}.service.port.name", port["name"], text) for text in port_name(port["name"]))
    elif port.get("number"):
        yield from port_number(f"{path}.service.port.number", port["number"])
    else:
        yield cause.required(path, "port name or number is required")


def _policy_port(port: Object, path: str) -> Iterator[Cause]:
    first, last = port.get("port"), port.get("endPort")
    if first is not None:
        yield from port_or_name(f"{path}.port", first)
    if last is None:
        return
    if first is None:
        yield cause.required(f"{path}.port", "must be specified when `endPort` is specified")
    elif isinstance(first, str):
        yield cause.invalid(f"{path}.endPort", last, "may not be specified when `port` is non-numeric")
    elif last < first:
        yield cause.invalid(f"{path}.endPort", last, "must be greater than or equal to `port`")
    else:
        yield from port_number(f"{path}.endPort", last)


def _policy_peer(peer: Object, path: str) -> Iterator[Cause]:
    selectors = [field for field in ("podSelector", "namespaceSelector") if peer.get(field) is not None]
    if peer.get("ipBlock") is None and not selectors:
        yield cause.required(path, "must specify a peer")
    elif peer.get("ipBlock") is not None and selectors:
        yield cause.forbidden(path, "may not specify both ipBlock and another peer")


def _block(block: Object, path: str) -> Iterator[Cause]:
    whole = network(block["cidr"])
    if whole is None:
        if block["cidr"]:
            yield cause.invalid(f"{path}.cidr", block["cidr"], "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")
        return
    for index, text in enumerate(block.get("except") or ()):
        part, place = network(text), f"{path}.except[{index}]"
        if part is None:
            yield cause.invalid(place, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")
        elif part.version != whole.version or part.prefixlen <= whole.prefixlen or part.network_address not in whole:
            yield cause.invalid(place, text, "must be a strict subset of `cidr`")


def _policy(spec: Object, path: str) -> Iterator[Cause]:
    if len(spec.get("policyTypes") or ()) > 2:
        yield cause.invalid(f"{path}.policyTypes", spec["policyTypes"], "may not specify more than two policyTypes")


def _endpoint_address(one: Object, path: str) -> Iterator[Cause]:
    yield from address(f"{path}.ip", one["ip"])


NETWORK_CHECKS: dict[str, Callable[[Object, str], Iterator[Cause]]] = {
    "core.v1.ServiceSpec": _service,
    "core.v1.EndpointAddress": _endpoint_address,
    "networking.v1.IngressSpec": _ingress,
    "networking.v1.HTTPIngressPath": _ingress_path,
    "networking.v1.IngressBackend": _backend,
    "networking.v1.NetworkPolicySpec": _policy,
    "networking.v1.NetworkPolicyPort": _policy_port,
    "networking.v1.NetworkPolicyPeer": _policy_peer,
    "networking.v1.IPBlock": _block,
}
