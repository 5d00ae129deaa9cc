"""One method per verb: from a request to the store or the writer, and back to an answer."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import replace
from typing import Any

from aiohttp import web

from syncsource.localplane import errors
from syncsource.localplane.access import Access, escalation
from syncsource.localplane.registry.object_meta import whole_object
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.serving import bodies, parameters
from syncsource.localplane.serving.bodies import answer
from syncsource.localplane.serving.decoding import Decoded
from syncsource.localplane.serving.eventlines import EventLines, Form
from syncsource.localplane.serving.gate import user_of
from syncsource.localplane.serving.listing import Page, list_page, shown
from syncsource.localplane.serving.listoptions import read_options
from syncsource.localplane.serving.requestinfo import RequestInfo
from syncsource.localplane.serving.reviews import Reviews
from syncsource.localplane.serving.selectors import Selector, parse_selector
from syncsource.localplane.serving.tables import table
from syncsource.localplane.serving.watching import Watch, Watched
from syncsource.localplane.storage.encoding import decode, encode, encode_ordered
from syncsource.localplane.writing import patches, views
from syncsource.localplane.writing.options import DeleteOptions, WriteOptions
from syncsource.localplane.writing.pipeline import Result
from syncsource.localplane.writing.strategic import strategic_merge
from syncsource.localplane.writing.writer import Writer

JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC_PATCH, APPLY_PATCH = "application/strategic-merge-patch+json", "application/apply-patch+yaml"


class Handlers:
    """The verbs of a resource that is known to allow them."""

    def __init__(self, writer: Writer, access: Access) -> None:
        self.writer, self.store, self.broadcast = writer, writer.store, writer.broadcast
        self.lines = EventLines()
        self.authorizer, self.reviews = access.authorizer, Reviews(access.authenticator, access.authorizer)

    async def get(self, request: web.Request, resource: Resource, info: RequestInfo) -> web.StreamResponse:
        stored = self.store.find(self.writer.key(resource, info.namespace, info.name))
        body = shown(resource, stored.body, stored.version, Selector()) if stored is not None else None
        if body is None:
            raise errors.not_found(resource.group, resource.plural, info.name)
        return self._object(request, resource, body)

    async def list(self, request: web.Request, resource: Resource, info: RequestInfo) -> web.StreamResponse:
        selector, options = self._selector(request, resource, info), read_options(request.query)
        return self._page(request, resource, list_page(self.store, resource, info.namespace, selector, options))

    def _page(self, request: web.Request, resource: Resource, page: Page) -> web.StreamResponse:
        include = bodies.table_options(request)
        if include is not None:
            return answer(
                table(resource, page.objects(), {name: value for name, value in page.metadata.items() if value}, include), request
            )
        if bodies.wants_metadata_only(request):
            items = [_partial(obj) for obj in page.objects()]
            kind = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
            return answer({**kind, "metadata": page.metadata, "items": items}, request)
        return answer(page.body(resource), request)

    async def watch(self, request: web.Request, resource: Resource, info: RequestInfo) -> web.StreamResponse:
        options = read_options(request.query, watch=True)
        form = Form(resource, bodies.table_options(request), bodies.wants_metadata_only(request) is not None)
        watched = Watched(form, info.namespace, self._selector(request, resource, info))
        watch = Watch(self.store, self.broadcast, self.lines, watched, options)
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError, TimeoutError):
            await watch.serve(response)
        return response

    async def create(self, request: web.Request, resource: Resource, info: RequestInfo) -> web.StreamResponse:
        body = await bodies.read_decoded(request, kind=resource.kind)
        obj = body.value
        if not resource.is_stored:
            return answer(self.reviews.answer(resource, info.namespace, obj, user_of(request), WriteOptions()), request, code=201)
        options = self._options(request, info, body)
        return self._written(request, resource, self.writer.create(resource, info.namespace, obj, options), code=201)

    async def update(self, request: web.Request, resource: Resource, info: RequestInfo) -> web.StreamResponse:
        body = await bodies.read_decoded(request, kind=resource.kind)
        options = self._options(request, info, body)
        return self._written(request, resource, self.writer.update(resource, info.namespace, info.name, body.value, options))

    async def patch(self, request: web.Request, resource: Resource, info: RequestInfo) -> web.StreamResponse:
        kind = bodies.media_type(request)
        accepted = [JSON_PATCH, MERGE_PATCH, *([] if resource.is_custom else [STRATEGIC_PATCH]), APPLY_PATCH]
        if kind not in accepted:
            raise errors.unsupported_media_type(accepted)
        body = bodies.parse_patch(await bodies.read_body(request), kind)
        options, patch = self._options(request, info, body, applies=kind == APPLY_PATCH), body.value
        if kind == APPLY_PATCH:
            return self._applied(request, resource, info, patch, options)
        result = self.writer.patch(resource, info.namespace, info.name, lambda old: _patched(resource, kind, old, patch), options)
        return self._written(request, resource, result)

    def _applied(
        self, request: web.Request, resource: Resource, info: RequestInfo, config: Any, options: WriteOptions
    ) -> web.StreamResponse:
        existed = self.store.get(self.writer.key(resource, info.namespace, info.name)) is not None
        result = self.writer.apply(resource, info.namespace, info.name, config, options)
        return self._written(request, resource, result, code=200 if existed else 201)

    async def delete(self, request: web.Request, resource: Resource, info: RequestInfo) -> web.StreamResponse:
        options = parameters.delete_options(request.query, await bodies.read_object(request, optional=True))
        obj, is_gone = self.writer.delete(resource, info.namespace, info.name, options)
        if not is_gone:
            return answer(encode(views.outgoing(resource, obj)), request)
        details = {"name": info.name, "group": resource.group, "kind": resource.plural, "uid": obj["metadata"]["uid"]}
        return answer(errors.success({name: value for name, value in details.items() if value}), request)

    async def deletecollection(self, request: web.Request, resource: Resource, info: RequestInfo) -> web.StreamResponse:
        given = parameters.delete_options(request.query, await bodies.read_object(request, optional=True))
        options = DeleteOptions(given.dry_run, propagation=given.propagation, grace=given.grace)
        page = list_page(self.store, resource, info.namespace, self._selector(request, resource, info))
        with self.writer.batch():
            for obj in page.objects():
                metadata = obj["metadata"]
                self.writer.delete(resource, metadata.get("namespace", ""), metadata["name"], options)
        return self._page(request, resource, page)

    def _options(self, request: web.Request, info: RequestInfo, body: Decoded, *, applies: bool = False) -> WriteOptions:
        guard = escalation.guard(self.authorizer, user_of(request), info.attributes(""))
        return replace(parameters.write_options(request, info.subresource, applies=applies), guard=guard, duplicates=body.duplicates)

    def _selector(self, request: web.Request, resource: Resource, info: RequestInfo) -> Selector:
        fields = request.query.get("fieldSelector", "")
        if info.name:
            fields = ",".join(filter(None, (fields, f"metadata.name={info.name}")))
        return parse_selector(resource, request.query.get("labelSelector", ""), fields)

    def _object(self, request: web.Request, resource: Resource, body: bytes, *, code: int = 200) -> web.StreamResponse:
        include = bodies.table_options(request)
        if include is not None:
            obj = decode(body)
            version = {name: value for name, value in obj["metadata"].items() if name == "resourceVersion"}
            return answer(table(resource, [obj], version, include), request, code=code)
        if bodies.wants_metadata_only(request):
            return answer(encode_ordered(_partial(decode(body))), request, code=code)
        return answer(body, request, code=code)

    def _written(self, request: web.Request, resource: Resource, result: Result, *, code: int = 200) -> web.StreamResponse:
        response = self._object(request, resource, encode(views.outgoing(resource, result.object)), code=code)
        for warning in result.warnings:
            response.headers.add("Warning", bodies.warning_header(warning))
        return response


def _partial(obj: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def _patched(resource: Resource, kind: str, old: dict[str, Any], patch: Any) -> Any:
    if kind == JSON_PATCH:
        return patches.json_patch(old, patch)
    if not isinstance(patch, dict):
        raise errors.bad_request(patches.not_an_object(patch))
    if kind == MERGE_PATCH:
        return patches.merge_patch(old, patch)
    return strategic_merge(copy.deepcopy(old), patch, whole_object(resource.rules.schema))
