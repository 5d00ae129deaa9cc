"""Where things are in the API, and the rights that they take, in words."""

from __future__ import annotations

from urllib.parse import quote

from syncsource.resource.api import API_VERSION, GROUP, PLURAL

RESOURCE = f"{PLURAL}.{GROUP}"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
VERSION = "/version"


def sources(namespace: str | None, name: str = "") -> str:
    """The SyncSources of a namespace, or of all; or one of them."""
    where = "" if namespace is None else f"/namespaces/{quote(namespace, safe='')}"
    return f"/apis/{API_VERSION}{where}/{PLURAL}" + (f"/{quote(name, safe='')}" if name else "")


def events(namespace: str) -> str:
    """The Events of a namespace."""
    return f"/api/v1/namespaces/{quote(namespace, safe='')}/events"


def pods(namespace: str | None) -> str:
    """The Pods of a namespace, or of all."""
    return "/api/v1/pods" if namespace is None else f"/api/v1/namespaces/{quote(namespace, safe='')}/pods"


def log(namespace: str, pod: str) -> str:
    """The log of a Pod."""
    return f"{pods(namespace)}/{quote(pod, safe='')}/log"


def right(verb: str, resource: str, namespace: str | None) -> str:
    """``list syncsources.syncsource.dev in namespace rental``."""
    return f"{verb} {resource} in " + ("all namespaces" if namespace is None else f"namespace {namespace}")
