"""What a cluster's controllers do at once: default service accounts, the rules of aggregated roles, and what there is from the start."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from syncsource.localplane import errors
from syncsource.localplane.access.authorizer import CLUSTER_ROLES
from syncsource.localplane.access.bootstrap import AUTO_UPDATE, bootstrap_objects
from syncsource.localplane.registry.labels import matches_labels
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.storage.broadcast import Change
from syncsource.localplane.storage.encoding import decode
from syncsource.localplane.storage.store import Key
from syncsource.localplane.writing.options import WriteOptions
from syncsource.localplane.writing.writer import Writer

Object = dict[str, Any]
NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
ACCOUNT = "default"
_OPTIONS = WriteOptions(manager="kube-apiserver")


class Controllers:
    """Listens to the writer and follows up what it hears."""

    def __init__(self, writer: Writer) -> None:
        self._writer, self._store = writer, writer.store
        self._namespaces, self._accounts = _built_in(writer, "", "namespaces"), _built_in(writer, "", "serviceaccounts")
        writer.listeners.append(self.heard)

    def establish(self) -> None:
        """What every cluster has from the start. The uid of kube-system is the identity of this one."""
        with self._writer.batch():
            for name in NAMESPACES:
                self._create(self._namespaces, "", {"metadata": {"name": name}})
            for stored in self._store.objects("namespaces"):
                self._create_account(stored.key.name)
            for name, value in PRIORITIES.items():
                self._create(
                    _built_in(self._writer, "scheduling.k8s.io", "priorityclasses"), "", {"metadata": {"name": name}, "value": value}
                )
            for obj in bootstrap_objects():
                self._establish_policy(obj)
            self._aggregate()

    def heard(self, change: Change, obj: Object) -> None:
        key = change.key
        if key.resource == "namespaces" and change.type == "ADDED":
            self._create_account(key.name)
        elif (key.resource, key.name, change.type) == ("serviceaccounts", ACCOUNT, "DELETED"):
            self._create_account(key.namespace)
        elif key.resource == CLUSTER_ROLES:
            self._aggregate()

    def _create_account(self, namespace: str) -> None:
        """Nothing happens where it is there, or the namespace is about to go."""
        self._create(self._accounts, namespace, {"metadata": {"name": ACCOUNT}})

    def _create(self, resource: Resource, namespace: str, obj: Object) -> None:
        if self._store.get(self._writer.key(resource, namespace, obj["metadata"]["name"])) is None:
            with contextlib.suppress(errors.APIError):
                self._writer.create(resource, namespace, obj, _OPTIONS)

    def _establish_policy(self, obj: Object) -> None:
        group = obj["apiVersion"].partition("/")[0]
        resource = _built_in(self._writer, group, f"{obj['kind'].lower()}s")
        key = self._writer.key(resource, "", obj["metadata"]["name"])
        if self._store.get(key) is None:
            self._create(resource, "", obj)
        else:
            self._writer.edit(key, lambda found: _complete(found, obj))

    def _aggregate(self) -> None:
        """Each aggregated role gets the rules of the roles that it selects; one may select another."""
        roles = {stored.key.name: decode(stored.body) for stored in self._store.objects(CLUSTER_ROLES)}
        aggregated = [name for name, role in roles.items() if role.get("aggregationRule")]
        for name in aggregated * len(aggregated):
            rules = _selected_rules(roles, name)
            if rules != (roles[name].get("rules") or []):
                roles[name]["rules"] = rules
                self._writer.edit(Key(CLUSTER_ROLES, "", name), partial(_set_rules, rules))


def _built_in(writer: Writer, group: str, plural: str) -> Resource:
    found = writer.registry.find(group, "v1", plural)
    if found is None:
        raise RuntimeError(f"{plural} are built in")
    return found


def _complete(found: Object, wanted: Mapping[str, Any]) -> None:
    """Give back what has been taken from a role or binding of the start, unless it was told not to be updated."""
    if (found["metadata"].get("annotations") or {}).get(AUTO_UPDATE) != "true" or "aggregationRule" in wanted:
        return
    for field in ("rules", "subjects"):
        present = found.get(field) or []
        lost = [item for item in wanted.get(field, ()) if item not in present]
        if lost:
            found[field] = [*present, *lost]


def _set_rules(rules: list[Object], role: Object) -> None:
    role["rules"] = rules


def _selected_rules(roles: Mapping[str, Object], name: str) -> list[Object]:
    selectors = roles[name]["aggregationRule"].get("clusterRoleSelectors") or []
    found: list[Object] = []
    for other, role in sorted(roles.items()):
        if other != name and _is_selected(role, selectors):
            found += [rule for rule in role.get("rules") or () if rule not in found]
    return found


def _is_selected(role: Object, selectors: Iterable[Mapping[str, Any]]) -> bool:
    labels = role["metadata"].get("labels") or {}
    return any(matches_labels(selector, labels) for selector in selectors)
