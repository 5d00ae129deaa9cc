"""The API server of a kubeconfig, by HTTP."""

from __future__ import annotations

import base64
import json
import os
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import yaml

Object = dict[str, Any]
JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH = (f"application/{kind}+json" for kind in ("json-patch", "merge-patch", "strategic-merge-patch"))
_LONGEST_LINE = 64 * 1024 * 1024
_SECONDS = 30.0


class ApiFailed(Exception):
    """The API server refused, or does not answer: `code` is its HTTP status, 0 for no answer; `reason` that of its Status."""

    def __init__(self, code: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.code, self.reason = code, reason

    @property
    def is_final(self) -> bool:
        """Whether the same request would be refused again: what it is about is gone, or is another by now."""
        return self.code in (404, 409, 410)


class Api:
    """Requests with the credentials of a kubeconfig's current context. Raises ApiFailed."""

    def __init__(self, server: str, trust: ssl.SSLContext, headers: Mapping[str, str], authority: bytes) -> None:
        self.server, self.authority = server, authority
        self._trust, self._headers = trust, headers
        self._opened: aiohttp.ClientSession | None = None

    @classmethod
    def of(cls, kubeconfig: Path) -> Api:
        """Raises OSError for a file that can't be read, ValueError for what is none."""
        try:
            config = yaml.safe_load(kubeconfig.read_text())
            context = _named(config["contexts"], config["current-context"])["context"]
            cluster, user = _named(config["clusters"], context["cluster"])["cluster"], _named(config["users"], context["user"])["user"]
            authority = _content(cluster, "certificate-authority") or b""
            trust = ssl.create_default_context(cadata=authority.decode() or None)
            _present_certificate(trust, user)
            return cls(cluster["server"].rstrip("/"), trust, _headers(user), authority)
        except (KeyError, TypeError, AttributeError, yaml.YAMLError) as wrong:
            raise ValueError(f"{kubeconfig} is no kubeconfig with a current context: {type(wrong).__name__}") from None

    async def send(self, method: str, path: str, body: Any = None, *, kind: str = "application/json", **query: str) -> Object:
        """One request, and the answer's object."""
        try:
            async with self._request(method, path, body, kind, query, _SECONDS) as answer:
                return await _object(answer)
        except (aiohttp.ClientError, OSError, TimeoutError) as failed:
            raise ApiFailed(0, f"the API server does not answer: {type(failed).__name__}") from None

    async def watch(self, path: str, version: str, seconds: int, **query: str) -> AsyncIterator[Object]:
        """The events after a version, until the server ends the watch; bookmarks among them."""
        query = {**query, "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version, "timeoutSeconds": str(seconds)}
        try:
            async with self._request("GET", path, None, "", query, seconds + _SECONDS) as answer:
                if answer.status != 200:
                    await _object(answer)
                async for line in answer.content:
                    yield json.loads(line)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as failed:
            raise ApiFailed(0, f"the watch broke off: {type(failed).__name__}") from None

    async def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            await self._opened.close()

    def _request(self, method: str, path: str, body: Any, kind: str, query: Mapping[str, str], seconds: float) -> Any:
        data, headers = (json.dumps(body), {"Content-Type": kind}) if body is not None else (None, None)
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=_SECONDS)
        return self._session().request(method, self.server + path, params=query, timeout=timeout, data=data, headers=headers)

    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            connector = aiohttp.TCPConnector(ssl=self._trust, limit=0)
            self._opened = aiohttp.ClientSession(connector=connector, headers=self._headers, read_bufsize=_LONGEST_LINE // 2)
        return self._opened


async def _object(answer: aiohttp.ClientResponse) -> Object:
    text = await answer.text(errors="replace")
    try:
        found = json.loads(text)
    except ValueError:
        found = {}
    if answer.status >= 400 or not isinstance(found, dict):
        told = found if isinstance(found, dict) else {}
        raise ApiFailed(answer.status, str(told.get("message") or f"HTTP {answer.status}")[:1000], str(told.get("reason") or ""))
    return found


def _named(items: list[Object], name: str) -> Object:
    return next((item for item in items if item["name"] == name), {})


def _content(holder: Object, field: str) -> bytes | None:
    if holder.get(f"{field}-data"):
        return base64.b64decode(holder[f"{field}-data"])
    return Path(holder[field]).read_bytes() if holder.get(field) else None


def _headers(user: Object) -> dict[str, str]:
    token = user.get("token") or (Path(user["tokenFile"]).read_text().strip() if user.get("tokenFile") else "")
    return {"User-Agent": "localplane-node"} | ({"Authorization": f"Bearer {token}"} if token else {})


def _present_certificate(trust: ssl.SSLContext, user: Object) -> None:
    """The context takes a certificate from a file only."""
    certificate, key = _content(user, "client-certificate"), _content(user, "client-key")
    if certificate and key:
        descriptor, name = tempfile.mkstemp()
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(certificate + b"\n" + key)
            trust.load_cert_chain(name)
        finally:
            Path(name).unlink()
