"""Reviews: questions about users and rights, which are answered and not stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from syncsource.localplane import errors
from syncsource.localplane.access.authentication import Authenticator
from syncsource.localplane.access.authorizer import Authorizer
from syncsource.localplane.access.identity import Attributes, User
from syncsource.localplane.access.tokens import ISSUER, InvalidToken
from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.writing import pipeline
from syncsource.localplane.writing.options import WriteOptions

Object = dict[str, Any]


class Reviews:
    """Answers every kind of review."""

    def __init__(self, authenticator: Authenticator, authorizer: Authorizer) -> None:
        self._authenticator, self._authorizer = authenticator, authorizer
        self._answers: dict[str, Callable[[Object, User], Object]] = {
            "SelfSubjectAccessReview": self._own_access,
            "SelfSubjectRulesReview": self._own_rules,
            "SelfSubjectReview": lambda _, user: {"userInfo": user.info()},
            "SubjectAccessReview": self._access,
            "LocalSubjectAccessReview": self._access,
            "TokenReview": self._token,
        }

    def answer(self, resource: Resource, namespace: str, obj: Any, user: User, options: WriteOptions) -> Object:
        """The object with the status that answers it; raises the 400 or 422 of a question that is none."""
        obj = pipeline.check_type(resource, obj, namespace)
        pipeline.decode(resource, obj, options)
        causes = list(resource.rules.validate(obj, None)) or list(_causes(resource.kind, obj.get("spec") or {}, namespace))
        if causes:
            raise errors.invalid(resource.group, resource.kind, "", causes)
        metadata = {"creationTimestamp": None, **obj["metadata"]}
        return {**obj, "metadata": metadata, "status": self._answers[resource.kind](obj.get("spec") or {}, user)}

    def _own_access(self, spec: Object, user: User) -> Object:
        decision = self._authorizer.decide(user, _attributes(spec))
        return {"allowed": decision.allowed, **({"reason": decision.reason} if decision.reason else {})}

    def _access(self, spec: Object, user: User) -> Object:
        extra = {name: tuple(values) for name, values in (spec.get("extra") or {}).items()}
        return self._own_access(spec, User(spec.get("user") or "", tuple(spec.get("groups") or ()), spec.get("uid") or "", extra))

    def _own_rules(self, spec: Object, user: User) -> Object:
        rules = list(dict.fromkeys(self._authorizer.rules(user, spec["namespace"])))
        return {
            "resourceRules": [rule.raw() for rule in rules if rule.resources],
            "nonResourceRules": [rule.raw() for rule in rules if rule.paths],
            "incomplete": False,
        }

    def _token(self, spec: Object, user: User) -> Object:
        try:
            found, audiences = self._authenticator.accept(spec.get("token") or "", spec.get("audiences") or [ISSUER])
        except InvalidToken as wrong:
            return {"user": {}, "error": f"invalid bearer token: {wrong}"}
        return {"authenticated": True, "user": found.info(), "audiences": audiences}


def _attributes(spec: Mapping[str, Any]) -> Attributes:
    path, asked = spec.get("nonResourceAttributes"), spec.get("resourceAttributes") or {}
    if path:
        return Attributes(path.get("verb") or "", path=path.get("path") or "/")
    fields = ("verb", "group", "resource", "subresource", "namespace", "name")
    return Attributes(*(asked.get(field) or "" for field in fields))


def _causes(kind: str, spec: Mapping[str, Any], namespace: str) -> Iterator[Cause]:
    if kind == "SelfSubjectRulesReview" and not spec.get("namespace"):
        yield cause.required("spec.namespace", "no namespace on request")
    if not kind.endswith("AccessReview"):
        return
    if bool(spec.get("resourceAttributes")) == bool(spec.get("nonResourceAttributes")):
        detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield cause.invalid("spec.resourceAttributes", cause.OMITTED, detail)
    if kind != "SelfSubjectAccessReview" and not (spec.get("user") or spec.get("groups")):
        yield cause.invalid("spec.user", "", "at least one of user or group must be specified")
    if kind == "LocalSubjectAccessReview" and (spec.get("resourceAttributes") or {}).get("namespace", "") != namespace:
        yield cause.invalid("spec.resourceAttributes.namespace", cause.OMITTED, "must match metadata.namespace")
