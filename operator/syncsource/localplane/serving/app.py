"""The aiohttp application: authentication, routes, and errors as Status objects."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from syncsource.localplane import errors
from syncsource.localplane.access import Access
from syncsource.localplane.errors import APIError, PathNotFound
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.serving import discovery, openapi, swagger
from syncsource.localplane.serving.accounts import AccountTokens
from syncsource.localplane.serving.binding import PodBinding
from syncsource.localplane.serving.bodies import MAX_BODY, answer, warning_header
from syncsource.localplane.serving.eviction import PodEviction
from syncsource.localplane.serving.gate import HEALTH, gate
from syncsource.localplane.serving.handlers import Handlers
from syncsource.localplane.serving.logs import PodLogs
from syncsource.localplane.serving.negotiation import check_acceptable
from syncsource.localplane.serving.requestinfo import RequestInfo, request_info
from syncsource.localplane.serving.scale import Scales
from syncsource.localplane.storage.store import WriteFailed
from syncsource.localplane.writing.writer import Writer

_ACROSS = frozenset({"list", "watch"})
"""Verbs that a namespaced kind has without a namespace, too."""
_DEPRECATION = web.RequestKey("deprecation", str)
_log = logging.getLogger(__name__)


def make_app(writer: Writer, access: Access, state_dir: Path, address: str) -> web.Application:
    """Serve everything of `writer`'s registry, and the logs below `state_dir`, to whom `access` allows it."""
    app = web.Application(middlewares=[_errors, gate(access.authenticator, access.authorizer)], client_max_size=MAX_BODY)
    app.on_response_prepare.append(_warn)
    plane = _Plane(writer, access, state_dir, address)
    for path in HEALTH:
        app.router.add_get(path, _health)
        app.router.add_get(path + "/{check:.*}", _health)
    app.router.add_get("/version", plane.version)
    app.router.add_get("/api", plane.core)
    app.router.add_get("/apis", plane.groups)
    app.router.add_get("/openapi/v2", plane.openapi_v2)
    app.router.add_get("/openapi/v3", plane.openapi_v3)
    app.router.add_get("/openapi/v3/{path:.+}", plane.openapi_v3_document)
    app.router.add_get("/apis/{group}", plane.group)
    app.router.add_route("*", "/{path:.*}", plane.resource)
    return app


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except APIError as refusal:
        return answer(refusal.status(), request, code=refusal.code)
    except PathNotFound:
        return web.Response(text="404 page not found\n", status=404)
    except web.HTTPException as refusal:
        if refusal.status == 404:
            return web.Response(text="404 page not found\n", status=404)
        refused = APIError(refusal.status, refusal.reason.replace(" ", ""), refusal.text or refusal.reason)
        return answer(refused.status(), request, code=refusal.status)
    except ConnectionError:
        raise
    except WriteFailed as failed:
        _log.error("%s %s: %s", request.method, request.path, failed)
        return answer(errors.internal(str(failed)).status(), request, code=500)
    except Exception:
        _log.exception("%s %s failed", request.method, request.path)
        return answer(errors.internal().status(), request, code=500)


async def _warn(request: web.Request, response: web.StreamResponse) -> None:
    """Whoever uses a deprecated version is told so, refused or not, before any other warning."""
    text = request.get(_DEPRECATION)
    if text:
        others = response.headers.popall("Warning", [])
        for warning in (warning_header(text), *others):
            response.headers.add("Warning", warning)


async def _health(request: web.Request) -> web.Response:
    return web.Response(text="ok")


class _Plane:
    def __init__(self, writer: Writer, access: Access, state_dir: Path, address: str) -> None:
        self.registry, self.handlers, self.address = writer.registry, Handlers(writer, access), address
        self.scales = Scales(writer, access)
        self.connected: dict[tuple[str, str], object] = {
            ("pods", "log"): PodLogs(writer.store, writer.broadcast, state_dir),
            ("pods", "binding"): PodBinding(writer),
            ("pods", "eviction"): PodEviction(writer),
            ("serviceaccounts", "token"): AccountTokens(writer.store, access.signer),
        }

    async def version(self, request: web.Request) -> web.StreamResponse:
        return answer(discovery.VERSION, request)

    async def core(self, request: web.Request) -> web.StreamResponse:
        if _wants_aggregated(request):
            return answer(discovery.aggregated(self.registry, core=True), request, kind=discovery.AGGREGATED)
        return answer(discovery.core_versions(self.address), request)

    async def groups(self, request: web.Request) -> web.StreamResponse:
        if _wants_aggregated(request):
            return answer(discovery.aggregated(self.registry, core=False), request, kind=discovery.AGGREGATED)
        return answer(discovery.group_list(self.registry), request)

    async def group(self, request: web.Request) -> web.StreamResponse:
        found = discovery.group(self.registry, request.match_info["group"])
        if found is None:
            raise PathNotFound(request.path)
        return answer(found, request)

    async def openapi_v2(self, request: web.Request) -> web.StreamResponse:
        document = openapi.document_v2(self.registry)
        if "proto-openapi" in request.headers.get("Accept", ""):
            return web.Response(body=swagger.encode_swagger(document), headers={"Content-Type": swagger.MEDIA_TYPE})
        return answer(document, request)

    async def openapi_v3(self, request: web.Request) -> web.StreamResponse:
        return answer(openapi.index_v3(self.registry), request)

    async def openapi_v3_document(self, request: web.Request) -> web.StreamResponse:
        place = openapi.group_versions(self.registry).get(request.match_info["path"])
        if place is None:
            raise PathNotFound(request.path)
        return answer(openapi.document_v3(self.registry, *place), request)

    async def resource(self, request: web.Request) -> web.StreamResponse:
        info = request_info(request.method, request.path, request.query)
        if not info.resource:
            found = discovery.resource_list(self.registry, info.group, info.version)
            if found is None or info.verb not in {"get", "list"}:
                raise PathNotFound(request.path)
            return answer(found, request)
        resource = self._find(info)
        verb = "get" if info.verb == "watch" and info.subresource else info.verb
        if not _is_allowed(verb, resource, info):
            raise errors.method_not_allowed()
        if (resource.storage, info.subresource) not in self.connected:
            check_acceptable(request, watch=verb == "watch")
        request[_DEPRECATION] = resource.deprecation
        handlers = self.scales if info.subresource == "scale" else self.connected.get((resource.storage, info.subresource), self.handlers)
        handler: Callable[[web.Request, Resource, RequestInfo], Awaitable[web.StreamResponse]] = getattr(handlers, verb)
        return await handler(request, resource, info)

    def _find(self, info: RequestInfo) -> Resource:
        resource = self.registry.find(info.group, info.version, info.resource)
        if resource is None or (info.subresource and resource.subresource(info.subresource) is None):
            raise PathNotFound(info.resource)
        if info.namespace and not resource.namespaced:
            raise PathNotFound(info.resource)
        if resource.namespaced and not info.namespace and (info.name or (resource.is_custom and info.verb not in _ACROSS)):
            raise PathNotFound(info.resource)
        return resource


def _is_allowed(verb: str, resource: Resource, info: RequestInfo) -> bool:
    part = resource.subresource(info.subresource)
    if part is not None:
        return verb in part.verbs
    if resource.namespaced and not info.namespace and verb not in _ACROSS:
        return False
    return verb in resource.verbs and (verb != "create" or not info.name) and (bool(info.name) or verb not in {"update", "patch"})


def _wants_aggregated(request: web.Request) -> bool:
    accept = request.headers.get("Accept", "").replace(" ", "")
    return "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" in accept
