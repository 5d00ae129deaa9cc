"""What a request asks for, from its method and path (`k8s.io/apiserver/pkg/endpoints/request`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from syncsource.localplane.access.identity import Attributes
from syncsource.localplane.errors import PathNotFound, method_not_allowed

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get"}


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """A place in the API; `resource` is empty where the path names a group version only."""

    verb: str
    group: str
    version: str
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    def attributes(self, field_selector: str) -> Attributes:
        """What RBAC looks at: a namespace is in itself, and a name may be selected instead of given."""
        namespace, name = self.namespace, self.name
        if (self.group, self.resource) == ("", "namespaces"):
            namespace = name
        if self.verb in {"list", "watch", "deletecollection"} and not name:
            name = _selected_name(field_selector)
        return Attributes(self.verb, self.group, self.resource, self.subresource, namespace, name)


def request_info(method: str, path: str, query: Mapping[str, str]) -> RequestInfo:
    """Raises PathNotFound for a path that is no resource's, the 405 for an unknown method."""
    parts = [part for part in path.split("/") if part]
    group, version, rest = _split_version(parts)
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] not in {"status", "finalize"}:
        namespace, rest = rest[1], rest[2:]
    if len(rest) > 3:
        raise PathNotFound(path)
    resource, name, subresource = (*rest, "", "", "")[:3]
    return RequestInfo(_verb(method, name, query), group, version, resource, namespace, name, subresource)


def _selected_name(field_selector: str) -> str:
    terms = (term.partition("=") for term in field_selector.replace("==", "=").split(","))
    return next((value for path, _, value in terms if path.strip() == "metadata.name"), "")


def _split_version(parts: list[str]) -> tuple[str, str, list[str]]:
    if parts[:1] == ["api"] and len(parts) >= 2:
        return "", parts[1], parts[2:]
    if parts[:1] == ["apis"] and len(parts) >= 3:
        return parts[1], parts[2], parts[3:]
    raise PathNotFound("/".join(parts))


def _verb(method: str, name: str, query: Mapping[str, str]) -> str:
    if method not in _VERBS:
        raise method_not_allowed()
    verb = _VERBS[method]
    if verb == "delete" and not name:
        return "deletecollection"
    if verb == "get" and (is_true(query.get("watch"))):
        return "watch"
    return "list" if verb == "get" and not name else verb


def is_true(text: str | None) -> bool:
    """A boolean parameter: present and not false."""
    return text is not None and text.lower() not in {"false", "0"}
