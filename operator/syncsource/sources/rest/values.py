"""What the names in templates stand for, in one read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from syncsource.errors import StalledError
from syncsource.records.cursors import cursor_text
from syncsource.resource.conditions import INVALID_SPEC
from syncsource.resource.templates import LAST, Placeholder, Template
from syncsource.sources.base import Slice
from syncsource.sources.rest.moments import written

_INSTANTS = frozenset(("cursor", "windowStart", "windowEnd", "now"))


@dataclass(frozen=True, slots=True)
class Clock:
    """How ``spec.incremental`` writes instants in requests."""

    format: str | None = None
    """None: in the source's own text."""
    zone: tzinfo = UTC
    source: tzinfo = UTC
    """Of cursors that name no zone."""

    def write(self, text: str, form: str | None = None, *, up: bool = False) -> str:
        """The instant in ``form``, or in the declared one. Raises StalledError (InvalidSpec) where it is no instant."""
        form = form or self.format
        if form is None:
            return text
        try:
            return written(text, form, zone=self.zone, source=self.source, up=up)
        except ValueError as error:
            raise StalledError(f"spec.incremental: the cursor {error}; choose another format, or none", reason=INVALID_SPEC) from None


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one read."""

    part: Slice
    now: datetime
    clock: Clock = Clock()
    last: Mapping[str, Any] = field(default_factory=dict)
    """Of the last record read, by the paths of pagination.keyset."""

    def render(self, template: Template) -> str | None:
        """The template's text; None where a value without default is absent."""
        texts = [part if isinstance(part, str) else self.text(part) for part in template.parts]
        return None if None in texts else "".join(text for text in texts if text is not None)

    def text(self, placeholder: Placeholder) -> str | None:
        """What a placeholder stands for; None where it is absent. A partition or token "0" or "" is there."""
        value = self._value(placeholder.name)
        if value is None:
            return placeholder.default
        if placeholder.name == "now":
            return Clock(zone=self.clock.zone).write(value, placeholder.format or "iso8601")
        if placeholder.name in _INSTANTS:
            return self.clock.write(value, placeholder.format, up=placeholder.name == "windowEnd")
        return value if placeholder.format is None else self.clock.write(value, placeholder.format)

    def _value(self, name: str) -> str | None:
        if name.startswith(LAST):
            value = self.last.get(name.removeprefix(LAST))
            return None if value is None else cursor_text(value)
        if name == "partition":
            return self.part.partition
        if name == "now":
            return self.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return self.part.until if name == "windowEnd" else self.part.since
