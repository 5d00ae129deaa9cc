"""Reviews: questions that are answered and not stored. The one token there is may do everything."""

from __future__ import annotations

from typing import Any

USER = {"username": "syncsource:admin", "groups": ["system:masters", "system:authenticated"]}


def review(kind: str, obj: dict[str, Any]) -> dict[str, Any]:
    """The object with the status that answers it."""
    return {**obj, "metadata": {"creationTimestamp": None, **(obj.get("metadata") or {})}, "status": _ANSWERS[kind]}


_ANSWERS: dict[str, dict[str, Any]] = {
    "SelfSubjectAccessReview": {"allowed": True},
    "SelfSubjectReview": {"userInfo": USER},
    "SelfSubjectRulesReview": {
        "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
        "incomplete": False,
    },
}
