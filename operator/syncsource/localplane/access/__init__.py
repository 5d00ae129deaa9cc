"""Who asks, and what they may do: tokens of service accounts, impersonation, and RBAC as `k8s.io/kubernetes/plugin/pkg/auth` has it.

Nothing here knows of HTTP beyond a request's headers, or writes an object; messages are those of kube-apiserver 1.36.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from syncsource.localplane.access.authentication import Authenticator
from syncsource.localplane.access.authorizer import Authorizer
from syncsource.localplane.access.tokens import Signer
from syncsource.localplane.storage.store import Store


@dataclass(frozen=True, slots=True)
class Access:
    """What decides about requests."""

    signer: Signer
    authenticator: Authenticator
    authorizer: Authorizer

    @classmethod
    def of(cls, store: Store, state_dir: Path, admin_token: str) -> Access:
        """For what is stored; `authorizer.heard` must be told of every write from now on."""
        signer = Signer(state_dir)
        return cls(signer, Authenticator(admin_token, signer, store), Authorizer(store))
