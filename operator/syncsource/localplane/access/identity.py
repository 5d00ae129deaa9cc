"""Users, and what they want to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MASTERS, AUTHENTICATED = "system:masters", "system:authenticated"
ACCOUNTS = "system:serviceaccounts"
_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who is known: `uid` and `extra` may be empty."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_master(self) -> bool:
        """Whether no rule has to be looked at."""
        return MASTERS in self.groups

    def info(self) -> dict[str, Any]:
        """The UserInfo of a review."""
        extra = {name: list(values) for name, values in self.extra.items()}
        given = {"username": self.name, "uid": self.uid, "groups": list(self.groups), "extra": extra}
        return {name: value for name, value in given.items() if value}


ADMIN = User("syncsource:admin", (MASTERS, AUTHENTICATED))


def account_name(namespace: str, name: str) -> str:
    """The user that a service account is."""
    return f"{_ACCOUNT}{namespace}:{name}"


def account_groups(namespace: str) -> tuple[str, ...]:
    return ACCOUNTS, f"{ACCOUNTS}:{namespace}"


def split_account(user: str) -> tuple[str, str] | None:
    """Namespace and name of the service account that a user is; None where it is none."""
    namespace, colon, name = user.removeprefix(_ACCOUNT).partition(":")
    return (namespace, name) if user.startswith(_ACCOUNT) and colon and namespace and name and ":" not in name else None


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is asked for: a verb on a resource, or on a `path` that is no resource's."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource
