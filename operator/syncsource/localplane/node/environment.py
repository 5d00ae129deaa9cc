"""A container's environment, and references to it in its command (`pkg/kubelet/kubelet_pods.go`, `third_party/forked/golang/expansion`)."""

from __future__ import annotations

import base64
import math
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from syncsource.localplane.admission.cel.quantity import parse_quantity
from syncsource.localplane.node.api import Object

NODE_ADDRESS = "127.0.0.1"
Fetch = Callable[[str, str], Awaitable[Object | None]]
"""An object of the Pod's namespace by plural and name; None where there is none."""
_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")
_KINDS = {"secrets": "Secret", "configmaps": "ConfigMap"}


class NotConfigured(Exception):
    """The environment can't be had as things are; the message says what is missing."""


def expand(text: str, known: Mapping[str, str]) -> str:
    """`$(NAME)` by its value where it is known, `$$` by `$`; all else stays."""

    def replaced(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return "$"
        return known.get(name, found[0])

    return _REFERENCE.sub(replaced, text)


async def container_environment(pod: Object, container: Object, given: Mapping[str, str], fetch: Fetch) -> dict[str, str]:
    """All variables: those of `given`, of envFrom and of env, in which later ones win. Raises NotConfigured."""
    found = dict(given)
    for source in container.get("envFrom") or ():
        found |= await _whole(pod, source, fetch)
    for variable in container.get("env") or ():
        value = await _value(pod, container, variable, found, fetch)
        if value is not None:
            found[variable["name"]] = value
    return found


async def _whole(pod: Object, source: Object, fetch: Fetch) -> dict[str, str]:
    plural, reference = ("secrets", source["secretRef"]) if source.get("secretRef") else ("configmaps", source.get("configMapRef") or {})
    holder = await fetch(plural, reference.get("name") or "")
    if holder is None and not reference.get("optional"):
        raise NotConfigured(f'{_KINDS[plural].lower()} "{reference.get("name")}" not found')
    prefix = source.get("prefix") or ""
    return {prefix + key: text for key, text in _texts(plural, holder or {}).items() if "=" not in prefix + key}


async def _value(pod: Object, container: Object, variable: Object, known: Mapping[str, str], fetch: Fetch) -> str | None:
    source = variable.get("valueFrom")
    if not source:
        return expand(variable.get("value") or "", known)
    if source.get("fieldRef"):
        return field(pod, source["fieldRef"]["fieldPath"])
    if source.get("resourceFieldRef"):
        return _resource(pod, container, source["resourceFieldRef"])
    plural = "secrets" if source.get("secretKeyRef") else "configmaps"
    reference = source.get("secretKeyRef") or source.get("configMapKeyRef")
    if not reference:
        raise NotConfigured(
            f"variable {variable['name']}: only fieldRef, resourceFieldRef, secretKeyRef and configMapKeyRef are known here"
        )
    return await _key(pod, plural, reference, fetch)


async def _key(pod: Object, plural: str, reference: Object, fetch: Fetch) -> str | None:
    name, key = reference.get("name") or "", reference["key"]
    holder = await fetch(plural, name)
    if holder is None:
        if reference.get("optional"):
            return None
        raise NotConfigured(f'{_KINDS[plural].lower()} "{name}" not found')
    text = _texts(plural, holder).get(key)
    if text is None and not reference.get("optional"):
        raise NotConfigured(f"couldn't find key {key} in {_KINDS[plural]} {pod['metadata']['namespace']}/{name}")
    return text


def _texts(plural: str, holder: Object) -> dict[str, str]:
    data = holder.get("data") or {}
    return {key: os.fsdecode(base64.b64decode(value)) for key, value in data.items()} if plural == "secrets" else data


def field(pod: Object, path: str) -> str:
    """What a fieldRef names. Raises NotConfigured for what is not known."""
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript:
        return str((pod["metadata"].get(subscript[1]) or {}).get(subscript[2], ""))
    known: dict[str, Any] = {
        "metadata.name": pod["metadata"]["name"],
        "metadata.namespace": pod["metadata"]["namespace"],
        "metadata.uid": pod["metadata"]["uid"],
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName") or "default",
        "status.hostIP": NODE_ADDRESS,
        "status.hostIPs": NODE_ADDRESS,
        "status.podIP": NODE_ADDRESS,
        "status.podIPs": NODE_ADDRESS,
    }
    if path not in known:
        raise NotConfigured(
            f"fieldPath {path} is not known here; known are {', '.join(known)}, metadata.labels['…'] and metadata.annotations['…']"
        )
    return str(known[path])


def _resource(pod: Object, container: Object, reference: Object) -> str:
    """A request or limit in units of the divisor, rounded up; without one the machine's, as there is no other bound."""
    named = reference.get("containerName")
    if named:
        container = next((one for one in pod["spec"]["containers"] if one["name"] == named), container)
    part, _, name = reference["resource"].partition(".")
    given = ((container.get("resources") or {}).get(part) or {}).get(name)
    quantity = parse_quantity(str(given if given is not None else machine().get(name, 0)))
    divisor = parse_quantity(str(reference.get("divisor") or "1")) or 1
    return str(math.ceil(quantity / divisor))


def machine() -> dict[str, str]:
    """What this machine has, as quantities."""
    return {
        "cpu": str(os.cpu_count() or 1),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') // 1024}Ki",
        "pods": "110",
    }
