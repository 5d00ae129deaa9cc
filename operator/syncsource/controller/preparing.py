"""What a run needs besides its spec: the Secrets that the spec names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Set
from typing import Any

from syncsource.controller.core.observed import Ref
from syncsource.controller.core.source import Run
from syncsource.controller.kube.failures import Gone, Rejected
from syncsource.engine.plan import RunPlan
from syncsource.errors import RetryableError, StalledError
from syncsource.resource.conditions import SECRET_NOT_FOUND
from syncsource.resource.spec import SyncSourceSpec

ReadSecret = Callable[[str, str], Awaitable[dict[str, str]]]
"""Namespace and name to the decoded values of a Secret."""


async def prepare(ref: Ref, run: Run, spec: dict[str, Any], *, cluster: str, read: ReadSecret, incomplete: bool = False) -> RunPlan:
    """The plan of a run. ``incomplete``: Secrets and keys may be missing, which is for what tells of them.

    Raises StalledError (SecretNotFound) where a Secret or a key is missing, RetryableError where it may not be read, and Away.
    """
    parsed = SyncSourceSpec.model_validate(spec)
    needed: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for name, key in parsed.secret_keys:
        needed[name][key] = parsed.named_in(name, key)
    secrets = {name: await _read(ref, name, fields, read, incomplete) for name, fields in sorted(needed.items())}
    return RunPlan(
        run=run.id,
        identity=f"{cluster}/{ref.key}",
        trigger=run.trigger,
        generation=run.generation,
        full=run.full,
        spec=spec,
        secrets=secrets,
    )


async def _read(ref: Ref, name: str, fields: dict[str, str], read: ReadSecret, incomplete: bool) -> dict[str, str]:
    """The Secret's values. ``fields``: the keys that it must have, and the field of the spec that names each."""
    try:
        values = await read(ref.namespace, name)
    except Gone as error:
        if incomplete:
            return {}
        told = f"Secret {name}, which {_listed(set(fields.values()))} names, is not in namespace {ref.namespace}: create it"
        raise StalledError(told, reason=SECRET_NOT_FOUND) from error
    except Rejected as error:
        raise RetryableError(f"Secret {name} can't be read: {error}", reason="SecretUnreadable") from error
    if (missing := fields.keys() - values.keys()) and not incomplete:
        told = f"Secret {name} has no key {_listed(missing)}, which {_listed({fields[key] for key in missing})} needs: add it"
        raise StalledError(told, reason=SECRET_NOT_FOUND)
    return values


def _listed(words: Set[str]) -> str:
    return " and ".join(sorted(words))
