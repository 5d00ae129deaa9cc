"""Requests whose answers stay plain dicts: the client's classes of the built-in kinds take a second and 25 MB to load."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import quote

from kubernetes.aio.client import ApiClient

_ANSWERS = {"200": "object", "201": "object"}


class Plain:
    """Requests with the client's credentials, below the path that is given in parts. Each raises what the client raises."""

    def __init__(self, client: ApiClient, *, timeout: float) -> None:
        self._client = client
        self._timeout = timeout

    async def get(self, *path: str, **query: str) -> dict[str, Any]:
        """An object, or a list."""
        return await self._send("GET", path, query=query)

    async def create(self, *path: str, body: dict[str, Any]) -> dict[str, Any]:
        """A new object in the list at the path."""
        return await self._send("POST", path, body, "application/json")

    async def patch(self, *path: str, body: dict[str, Any]) -> dict[str, Any]:
        """A merge patch."""
        return await self._send("PATCH", path, body, "application/merge-patch+json")

    async def _send(
        self, method: str, path: tuple[str, ...], body: Any = None, content: str = "", query: dict[str, str] | None = None
    ) -> dict[str, Any]:
        headers = {"Accept": "application/json", **({"Content-Type": content} if content else {})}
        url = "".join(f"/{quote(part, safe='')}" for part in path)
        request = await self._client.param_serialize(
            method=method,
            resource_path=url,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        answer = await self._client.call_api(*request, _request_timeout=self._timeout)
        await answer.read()
        found: Any = self._client.response_deserialize(answer, _ANSWERS)
        return cast(dict[str, Any], found.data)
