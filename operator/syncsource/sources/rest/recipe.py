"""From ``spec.source.http.request`` and a slice to a request: templates filled in, increments added."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import httpx

from syncsource.errors import PermanentError, StalledError, outside_text
from syncsource.records.shape import cursor_zone
from syncsource.resource.conditions import INVALID_SPEC
from syncsource.resource.spec import SyncSourceSpec
from syncsource.resource.templates import Placeholder, Template, parse
from syncsource.sources.rest import reasons
from syncsource.sources.rest.asking import Draft
from syncsource.sources.rest.auth import check_headers
from syncsource.sources.rest.urls import base_url, merged
from syncsource.sources.rest.values import Clock, Values

_ABSENT = object()
_SINCE, _UNTIL = Template((Placeholder("cursor"),)), Template((Placeholder("windowEnd"),))


class Recipe:
    """A spec's request. Raises StalledError (InvalidSpec) where it can't be made."""

    def __init__(self, spec: SyncSourceSpec) -> None:
        http, incremental = spec.source.http, spec.incremental
        assert http is not None
        request = http.request
        self._base, self._method = base_url(http.base_url), request.method
        path, _, query = request.path.partition("?")
        self._path = parse(path)
        self._query = [*((name, parse(value)) for name, value in httpx.QueryParams(query).multi_items())]
        self._query += [(name, parse(str(value))) for name, value in request.query.items()]
        if incremental:
            self._query += [(name, value) for name, value in ((incremental.param, _SINCE), (incremental.end_param, _UNTIL)) if name]
        self._headers = {name: parse(value) for name, value in check_headers(request.headers).items()}
        self._json = None if request.body is None else _compiled(request.body)
        self._form = None if request.form is None else {name: parse(str(value)) for name, value in request.form.items()}
        self.clock = _clock(spec)

    def draft(self, values: Values) -> Draft:
        """The request without parameters of paging. Raises PermanentError or StalledError where a value can't be sent."""
        return Draft(
            merged(self._url(values), dict(_present(self._query, values))),
            self._method,
            self._rendered_headers(values),
            None if self._json is None else _filled(self._json, values),
            None if self._form is None else dict(_present(self._form.items(), values)),
        )

    def _url(self, values: Values) -> httpx.URL:
        if not self._path.parts:
            return self._base
        path = "".join(part if isinstance(part, str) else _segment(part, values) for part in self._path.parts)
        return self._base.copy_with(path=self._base.path.rstrip("/") + "/" + path.lstrip("/"))

    def _rendered_headers(self, values: Values) -> dict[str, str]:
        found = dict(_present(self._headers.items(), values))
        for name, text in found.items():
            if not text.isascii() or not text.isprintable():
                raise PermanentError(
                    f"spec.source.http.request.headers: {name} can't be sent with {outside_text(text, 60)!r}: a value is ASCII without line breaks",
                    reason=reasons.UNSENDABLE,
                )
        return {name.lower(): text.strip() for name, text in found.items()}


def _present(items: Any, values: Values) -> Iterator[tuple[str, str]]:
    """Those whose values are there."""
    for name, template in items:
        text = values.render(template)
        if text is not None:
            yield name, text


def _segment(placeholder: Placeholder, values: Values) -> str:
    text = values.text(placeholder)
    if text is None:
        raise StalledError(
            f"spec.source.http.request.path: there is no value for {placeholder.name} yet; write {{{{ {placeholder.name} | default('…') }}}}",
            reason=INVALID_SPEC,
        )
    if text in (".", ".."):
        raise PermanentError(
            f"spec.source.http.request.path: {placeholder.name} is {text!r}, which would lead to another path", reason=reasons.UNSENDABLE
        )
    return quote(text, safe="")


def _compiled(value: Any) -> Any:
    """A JSON body with templates in place of its texts that hold any."""
    if isinstance(value, dict):
        return {name: _compiled(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_compiled(part) for part in value]
    template = parse(value) if isinstance(value, str) else None
    return template if template and template.placeholders else value


def _filled(value: Any, values: Values) -> Any:
    """The body for one read: what lacks a value is left out, and what holds nothing else, too."""
    if isinstance(value, Template):
        return _scalar(value, values)
    if isinstance(value, dict):
        members = {name: found for name, part in value.items() if (found := _filled(part, values)) is not _ABSENT}
        return members if members or not value else _ABSENT
    if isinstance(value, list):
        items = [found for part in value if (found := _filled(part, values)) is not _ABSENT]
        return items if items or not value else _ABSENT
    return value


def _scalar(template: Template, values: Values) -> Any:
    text = values.render(template)
    if text is None:
        return _ABSENT
    (first, *others) = template.parts
    if others or not isinstance(first, Placeholder) or not first.integer:
        return text
    if not text.removeprefix("-").isdigit() or not text.isascii() or len(text) > 40:
        raise PermanentError(
            f"spec.source.http.request.body: {first.name} is {outside_text(text, 60)!r}, not an integer", reason=reasons.UNSENDABLE
        )
    return int(text)


def _clock(spec: SyncSourceSpec) -> Clock:
    incremental = spec.incremental
    if incremental is None:
        return Clock()
    zone = ZoneInfo(incremental.time_zone) if incremental.time_zone else UTC
    return Clock(incremental.format, zone, cursor_zone(spec.fields, incremental.cursor))


Drafted = Callable[[Mapping[str, Any]], Draft]
"""A read's request, with the last record's values for templates."""
