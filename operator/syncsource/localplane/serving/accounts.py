"""The `token` subresource of ServiceAccounts: TokenRequests."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from syncsource.localplane import errors
from syncsource.localplane.access.tokens import ISSUER, Signer, account_claims
from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.admission.schema import Schema
from syncsource.localplane.admission.validation import validate
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.serving.bodies import answer, read_object
from syncsource.localplane.serving.requestinfo import RequestInfo
from syncsource.localplane.storage.encoding import decode
from syncsource.localplane.storage.store import Key, Store

GROUP, KIND = "authentication.k8s.io", "TokenRequest"
SHORTEST, LONGEST, USUAL = 600, 2**32, 3600
"""Seconds that a token may be asked for, and that it lives where nothing is said."""
_SCHEMA = Schema.parse(
    {
        "type": "object",
        "properties": {
            "apiVersion": {"type": "string", "enum": [f"{GROUP}/v1"]},
            "kind": {"type": "string", "enum": [KIND]},
            "metadata": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "spec": {
                "type": "object",
                "properties": {
                    "audiences": {"type": "array", "items": {"type": "string", "minLength": 1}, "nullable": True},
                    "expirationSeconds": {"type": "integer", "format": "int64", "nullable": True},
                    "boundObjectRef": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "nullable": True},
                },
            },
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
)


class AccountTokens:
    """Issues tokens of stored ServiceAccounts."""

    def __init__(self, store: Store, signer: Signer) -> None:
        self._store, self._signer = store, signer

    async def create(self, request: web.Request, resource: Resource, info: RequestInfo) -> web.StreamResponse:
        """Raises the 400, 404 or 422 of what is not issued."""
        asked = await read_object(request)
        spec = _checked(asked)
        stored = self._store.get(Key(resource.storage, info.namespace, info.name))
        if stored is None:
            raise errors.not_found(resource.group, resource.plural, info.name)
        audiences, seconds = spec.get("audiences") or [ISSUER], spec.get("expirationSeconds") or USUAL
        issued = int(time.time())
        token = self._signer.sign(account_claims(decode(stored), audiences, issued, issued + seconds))
        return answer(_issued(info, audiences, seconds, token, issued), request, code=201)


def _checked(asked: Any) -> Mapping[str, Any]:
    causes = list(validate(asked, _SCHEMA)) if isinstance(asked, dict) else [cause.invalid("", asked, "must be an object")]
    spec = {} if causes else asked.get("spec") or {}
    causes += _seconds_causes(spec.get("expirationSeconds"))
    if causes:
        raise errors.invalid(GROUP, KIND, "", causes)
    if spec.get("boundObjectRef"):
        raise errors.bad_request("cannot bind a token to an object: spec.boundObjectRef is not served by the embedded control plane")
    return spec


def _seconds_causes(seconds: int | None) -> Iterator[Cause]:
    if seconds is not None and seconds < SHORTEST:
        yield cause.invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
    elif seconds is not None and seconds > LONGEST:
        yield cause.invalid("spec.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")


def _issued(info: RequestInfo, audiences: list[str], seconds: int, token: str, issued: int) -> dict[str, Any]:
    instants = [dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (issued, issued + seconds)]
    return {
        "kind": KIND,
        "apiVersion": f"{GROUP}/v1",
        "metadata": {"name": info.name, "namespace": info.namespace, "creationTimestamp": instants[0]},
        "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": None},
        "status": {"token": token, "expirationTimestamp": instants[1]},
    }
