"""The gate that every request passes: who it is, whom they want to be, and whether they may."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from syncsource.localplane.access.authentication import Authenticator, impersonated
from syncsource.localplane.access.authorizer import Authorizer
from syncsource.localplane.access.identity import Attributes, User
from syncsource.localplane.errors import PathNotFound
from syncsource.localplane.serving.requestinfo import request_info

HEALTH = frozenset({"/healthz", "/livez", "/readyz"})
_USER = web.RequestKey("user", User)


def user_of(request: web.Request) -> User:
    """Who makes the request, once it has passed the gate."""
    return request[_USER]


def attributes_of(request: web.Request) -> Attributes:
    """What a request asks for; raises the 405 of an unknown method."""
    try:
        info = request_info(request.method, request.path, request.query)
    except PathNotFound:
        return Attributes(request.method.lower(), path=request.path)
    if not info.resource:
        return Attributes(request.method.lower(), path=request.path)
    return info.attributes(request.query.get("fieldSelector", ""))


def gate(authenticator: Authenticator, authorizer: Authorizer) -> Middleware:
    """Lets in whom the authenticator knows, for what the authorizer allows; raises the 401 or 403 of all else."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if given or not (request.path in HEALTH or request.path == "/version"):
            user = impersonated(authenticator.header_user(given), request.headers, authorizer)
            if not user.is_master:
                authorizer.check(user, attributes_of(request))
            request[_USER] = user
        return await handler(request)

    return middleware
