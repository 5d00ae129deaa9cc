"""RBAC: an index of roles and bindings that follows every write, and the decisions that it allows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from syncsource.localplane import errors
from syncsource.localplane.access.identity import Attributes, User, account_name
from syncsource.localplane.access.rules import EVERYTHING, Rule
from syncsource.localplane.storage.broadcast import Change
from syncsource.localplane.storage.encoding import decode
from syncsource.localplane.storage.store import Key, Store

GROUP = "rbac.authorization.k8s.io"
ROLES, CLUSTER_ROLES = f"roles.{GROUP}", f"clusterroles.{GROUP}"
BINDINGS, CLUSTER_BINDINGS = f"rolebindings.{GROUP}", f"clusterrolebindings.{GROUP}"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is allowed, and why; denied without a reason where nothing allows it."""

    allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Grant:
    """A role for one subject of a binding; `namespace` is the binding's, empty for a ClusterRoleBinding."""

    role: Key
    namespace: str
    text: str


class Authorizer:
    """Decides by what is stored. `heard` must be told of every write."""

    def __init__(self, store: Store) -> None:
        self._roles: dict[Key, tuple[Rule, ...]] = {}
        self._grants: dict[str, dict[Key, list[_Grant]]] = {}
        self._subjects: dict[Key, set[str]] = {}
        for resource in (ROLES, CLUSTER_ROLES, BINDINGS, CLUSTER_BINDINGS):
            for stored in store.objects(resource):
                self._learn(stored.key, decode(stored.body))

    def heard(self, change: Change, obj: Mapping[str, Any]) -> None:
        if change.key.resource.endswith(GROUP):
            self._forget(change.key)
            if change.type != "DELETED":
                self._learn(change.key, obj)

    def decide(self, user: User, wanted: Attributes) -> Decision:
        if user.is_master:
            return Decision(True)
        lost: list[str] = []
        for grant in self._granted(user, wanted.namespace):
            rules = self._roles.get(grant.role)
            if rules is None:
                lost.append(_not_found(grant.role))
            elif any(rule.allows(wanted) for rule in rules):
                return Decision(True, f"RBAC: allowed by {grant.text}")
        if not lost:
            return Decision(False)
        return Decision(False, f"RBAC: {lost[0] if len(lost) == 1 else '[' + ', '.join(lost) + ']'}")

    def check(self, user: User, wanted: Attributes) -> None:
        """Raises the 403 of what the user may not do."""
        decision = self.decide(user, wanted)
        if not decision.allowed:
            raise refusal(user, wanted, decision.reason)

    def rules(self, user: User, namespace: str) -> list[Rule]:
        """Everything that the user may do in a namespace."""
        if user.is_master:
            return list(EVERYTHING)
        return [rule for grant in self._granted(user, namespace) for rule in self._roles.get(grant.role, ())]

    def role(self, key: Key) -> tuple[Rule, ...] | None:
        """The rules of a role, None where there is none."""
        return self._roles.get(key)

    def _granted(self, user: User, namespace: str) -> Iterator[_Grant]:
        """What applies to the user there, ClusterRoleBindings first."""
        names = (_user(user.name), *map(_group, user.groups))
        for place in dict.fromkeys(("", namespace)):
            for name in names:
                for grants in self._grants.get(name, {}).values():
                    yield from (grant for grant in grants if grant.namespace == place)

    def _learn(self, key: Key, obj: Mapping[str, Any]) -> None:
        if key.resource in (ROLES, CLUSTER_ROLES):
            self._roles[key] = tuple(Rule.of(raw) for raw in obj.get("rules") or ())
            return
        for subject in obj.get("subjects") or ():
            name = _subject(subject, key.namespace)
            self._grants.setdefault(name, {}).setdefault(key, []).append(_grant(key, obj, subject))
            self._subjects.setdefault(key, set()).add(name)

    def _forget(self, key: Key) -> None:
        self._roles.pop(key, None)
        for name in self._subjects.pop(key, ()):
            del self._grants[name][key]
            if not self._grants[name]:
                del self._grants[name]


def role_key(reference: Mapping[str, Any], namespace: str) -> Key:
    """The role that a binding of `namespace` refers to."""
    if reference["kind"] == "Role":
        return Key(ROLES, namespace, reference["name"])
    return Key(CLUSTER_ROLES, "", reference["name"])


def _user(name: str) -> str:
    return f"user {name}"


def _group(name: str) -> str:
    return f"group {name}"


def _subject(subject: Mapping[str, Any], namespace: str) -> str:
    if subject["kind"] == "ServiceAccount":
        return _user(account_name(subject.get("namespace") or namespace, subject["name"]))
    return _group(subject["name"]) if subject["kind"] == "Group" else _user(subject["name"])


def _grant(key: Key, binding: Mapping[str, Any], subject: Mapping[str, Any]) -> _Grant:
    reference = binding["roleRef"]
    bound, whom = key.name, subject["name"]
    if key.namespace:
        bound = f"{bound}/{key.namespace}"
    if subject["kind"] == "ServiceAccount":
        whom = f"{whom}/{subject.get('namespace') or key.namespace}"
    text = f"{binding['kind']} {_q(bound)} of {reference['kind']} {_q(reference['name'])} to {subject['kind']} {_q(whom)}"
    return _Grant(role_key(reference, key.namespace), key.namespace, text)


def _q(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _not_found(role: Key) -> str:
    return f"{role.resource.replace('roles', 'role', 1)} {_q(role.name)} not found"


def refusal(user: User, wanted: Attributes, reason: str = "") -> errors.APIError:
    """The 403 that says who may not do what, and where."""
    if wanted.path:
        said = f"User {_q(user.name)} cannot {wanted.verb} path {_q(wanted.path)}"
        return errors.forbidden_path(f"{said}: {reason}" if reason else said)
    where = f"in the namespace {_q(wanted.namespace)}" if wanted.namespace else "at the cluster scope"
    said = f"User {_q(user.name)} cannot {wanted.verb} resource {_q(wanted.full_resource)} in API group {_q(wanted.group)} {where}"
    return errors.forbidden(wanted.group, wanted.resource, wanted.name, f"{said}: {reason}" if reason else said)
