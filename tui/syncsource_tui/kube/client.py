"""One control plane over HTTP: JSON in and out, and streams of lines."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import aiohttp

from syncsource_tui.core.failures import Away, Changed, Expired, Failure, Forbidden, Missing, Refused, Unauthorized
from syncsource_tui.core.reading import Object
from syncsource_tui.core.text import clean

DIAL = 5.0
"""Seconds until a connection must stand."""
_ANSWER = 30.0
_LONGEST_LINE = 32 * 1024 * 1024
MANAGER = "syncsource-tui"
"""The name that managed fields will have."""
_KINDS: dict[int, type[Failure]] = {401: Unauthorized, 404: Missing, 408: Away, 409: Changed, 410: Expired, 429: Away}


class Client:
    """``context``: the kubeconfig's name for it. ``namespace``: that of the context."""

    def __init__(self, configuration: Any, *, context: str, namespace: str) -> None:
        from kubernetes.aio.client.rest import RESTClientObject

        self.context, self.namespace = context, namespace
        self._configuration = configuration
        self._streams: set[aiohttp.StreamReader] = set()
        ssl = RESTClientObject(configuration).ssl_context
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=ssl, limit=0),
            timeout=aiohttp.ClientTimeout(total=_ANSWER, connect=DIAL, sock_connect=DIAL),
            trust_env=True,
        )

    async def close(self) -> None:
        """Close the connections. Whoever reads lines is told that it is Away: closing the session alone would leave him waiting."""
        for reading in self._streams:
            reading.set_exception(aiohttp.ClientConnectionError("the connection was closed"))
        await self._session.close()

    async def get(self, path: str, query: Mapping[str, str] | None = None, *, right: str = "", within: float = _ANSWER) -> Object:
        """An object. ``right`` names what is missing where it is forbidden."""
        timeout = aiohttp.ClientTimeout(total=within, connect=DIAL, sock_connect=DIAL)
        return await self._json("GET", path, right, params=dict(query or {}), timeout=timeout)

    async def post(self, path: str, body: Object) -> Object:
        """What the control plane makes of ``body``."""
        return await self._json("POST", path, f"create {path.rpartition('/')[2]}", json=body)

    async def merge_patch(self, path: str, body: Object, *, right: str) -> Object:
        """The object, patched. Raises Changed where a uid or version in the patch does not hold."""
        headers = {"Content-Type": "application/merge-patch+json"}
        return await self._json("PATCH", path, right, params={"fieldManager": MANAGER}, data=json.dumps(body), headers=headers)

    async def lines(self, path: str, query: Mapping[str, str], *, right: str, silence: float | None = None) -> AsyncIterator[bytes]:
        """The lines of an answer as they come, without their ends. ``silence``: seconds without a byte after which it is Away."""
        timeout = aiohttp.ClientTimeout(total=None, connect=DIAL, sock_connect=DIAL, sock_read=silence)
        with _translated():
            async with self._session.request("GET", **await self._request(path), params=dict(query), timeout=timeout) as answer:
                if answer.status >= 400:
                    raise _failure(answer.status, await answer.text(errors="replace"), right)
                self._streams.add(answer.content)
                try:
                    async for line in _split(answer.content):
                        yield line
                finally:
                    self._streams.discard(answer.content)

    async def _json(self, method: str, path: str, right: str, *, headers: Mapping[str, str] | None = None, **options: Any) -> Object:
        request = await self._request(path, headers)
        with _translated():
            async with self._session.request(method, **request, **options) as answer:
                text = await answer.text(errors="replace")
        if answer.status >= 400:
            raise _failure(answer.status, text, right)
        return _object(text)

    async def _request(self, path: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What every request has: where to, as whom, through what."""
        if self._session.closed:
            raise Away("not connected")
        found = self._configuration
        request: dict[str, Any] = {
            "url": found.host.rstrip("/") + path,
            "headers": {"Accept": "application/json", **await self._login(), **(headers or {})},
        }
        if found.tls_server_name:
            request["server_hostname"] = found.tls_server_name
        if found.proxy:
            request |= {"proxy": found.proxy, "proxy_headers": found.proxy_headers}
        return request

    async def _login(self) -> dict[str, str]:
        found = self._configuration
        token = (await found.auth_settings()).get("BearerToken", {}).get("value")
        if token:
            return {"Authorization": token}
        if found.username and found.password:
            return {"Authorization": "Basic " + base64.b64encode(f"{found.username}:{found.password}".encode()).decode()}
        return {}


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise Away("no answer in time") from None
    except aiohttp.ClientConnectorCertificateError as error:
        raise Away(f"its certificate is not trusted: {error.certificate_error}") from None
    except aiohttp.ClientConnectorError as error:
        raise Away(f"{error.host}:{error.port}: {_why(error.os_error)}") from None
    except (aiohttp.ClientError, OSError) as error:
        raise Away(str(error) or type(error).__name__) from None


def _why(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)


async def _split(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    waiting = b""
    async for chunk in content.iter_any():
        *lines, waiting = (waiting + chunk).split(b"\n")
        for line in lines:
            yield line
        if len(waiting) > _LONGEST_LINE:
            raise Away(f"a line of more than {_LONGEST_LINE:,} bytes")
    if waiting:
        yield waiting


def _object(text: str) -> Object:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Away(f"the answer is not an object of JSON: {clean(text, 80)}")
    return found


def _failure(status: int, text: str, right: str) -> Failure:
    message = _message(text) or f"HTTP {status}"
    if status == 403:
        return Forbidden(message, right or message)
    if status >= 500:
        return Away(f"{message} ({status})")
    return _KINDS.get(status, Refused)(message)


def _message(text: str) -> str:
    try:
        return clean(json.loads(text)["message"], 300)
    except (ValueError, KeyError, TypeError, RecursionError):
        return clean(text, 200)
