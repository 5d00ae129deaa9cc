"""Nobody may hand out rights that they do not have (`pkg/registry/rbac`), and an apply that creates needs the right to create."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from syncsource.localplane import errors
from syncsource.localplane.access.authorizer import BINDINGS, CLUSTER_BINDINGS, CLUSTER_ROLES, GROUP, ROLES, Authorizer, role_key
from syncsource.localplane.access.identity import Attributes, User
from syncsource.localplane.access.rules import EVERYTHING, Rule, missing, quoted
from syncsource.localplane.writing.options import Guard

Object = Mapping[str, Any]


def guard(authorizer: Authorizer, user: User, wanted: Attributes) -> Guard:
    """What looks at an object that the user is about to write by a request for `wanted`."""
    storage = f"{wanted.resource}.{wanted.group}" if wanted.group == GROUP else ""

    def look(obj: Object, old: Object | None) -> None:
        at = replace(wanted, name=obj["metadata"]["name"])
        if old is None and wanted.verb != "create":
            authorizer.check(user, replace(at, verb="create"))
        if storage in (ROLES, CLUSTER_ROLES):
            _check_role(authorizer, user, at, obj, old)
        elif storage in (BINDINGS, CLUSTER_BINDINGS):
            _check_binding(authorizer, user, at, obj, old)

    return _allow if user.is_master else look


def _allow(obj: Object, old: Object | None) -> None:
    return


def _check_role(authorizer: Authorizer, user: User, at: Attributes, role: Object, old: Object | None) -> None:
    if old is not None and _same(role, old, ("rules", "aggregationRule")):
        return
    if authorizer.decide(user, replace(at, verb="escalate")).allowed:
        return
    if role.get("aggregationRule") and missing(authorizer.rules(user, at.namespace), EVERYTHING):
        raise errors.forbidden(at.group, at.resource, at.name, "must have cluster-admin privileges to use an aggregationRule")
    _check_rules(authorizer, user, at, map(Rule.of, role.get("rules") or ()))


def _check_binding(authorizer: Authorizer, user: User, at: Attributes, binding: Object, old: Object | None) -> None:
    if old is not None and _same(binding, old, ("roleRef", "subjects")):
        return
    key = role_key(binding["roleRef"], at.namespace)
    bind = Attributes("bind", GROUP, key.resource.partition(".")[0], namespace=at.namespace, name=key.name)
    if authorizer.decide(user, bind).allowed:
        return
    rules = authorizer.role(key)
    if rules is None:
        raise errors.not_found(GROUP, bind.resource, key.name)
    _check_rules(authorizer, user, at, rules)


def _check_rules(authorizer: Authorizer, user: User, at: Attributes, rules: Iterable[Rule]) -> None:
    lacking = missing(authorizer.rules(user, at.namespace), rules)
    if lacking:
        said = "\n".join(sorted(map(str, lacking)))
        why = f'user "{user.name}" (groups={quoted(user.groups)}) is attempting to grant RBAC permissions not currently held:\n{said}'
        raise errors.forbidden(at.group, at.resource, at.name, why)


def _same(obj: Object, old: Object, fields: tuple[str, ...]) -> bool:
    return all(obj.get(field) == old.get(field) for field in fields)
