"""What a run needs besides its spec: the Secrets that the spec names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
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


async def prepare(ref: Ref, run: Run, spec: dict[str, Any], *, cluster: str, read: ReadSecret) -> RunPlan:
    """The plan of a run.

    Raises StalledError (SecretNotFound) where a Secret or a key is missing, RetryableError where it may not be read, and Away.
    """
    needed: defaultdict[str, set[str]] = defaultdict(set)
    for name, key in SyncSourceSpec.model_validate(spec).secret_keys:
        needed[name].add(key)
    secrets = {name: await _read(ref, name, keys, read) for name, keys in sorted(needed.items())}
    return RunPlan(
        run=run.id,
        identity=f"{cluster}/{ref.key}",
        trigger=run.trigger,
        generation=run.generation,
        full=run.full,
        spec=spec,
        secrets=secrets,
    )


async def _read(ref: Ref, name: str, keys: set[str], read: ReadSecret) -> dict[str, str]:
    try:
        values = await read(ref.namespace, name)
    except Gone as error:
        raise StalledError(f"Secret {name} is not in namespace {ref.namespace}", reason=SECRET_NOT_FOUND) from error
    except Rejected as error:
        raise RetryableError(f"Secret {name} can't be read: {error}", reason="SecretUnreadable") from error
    if missing := sorted(keys - values.keys()):
        raise StalledError(f"Secret {name} has no key {', '.join(missing)}", reason=SECRET_NOT_FOUND)
    return values
