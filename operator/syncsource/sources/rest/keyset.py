"""Pages that the last record's values lead to: keyset paging, and what becomes of ties."""

from __future__ import annotations

from decimal import Decimal
from itertools import takewhile
from typing import Any

from syncsource.errors import SchemaMismatch, outside_text
from syncsource.records.batch import Broken
from syncsource.records.paths import finder
from syncsource.resource.pagination import KeysetPagination
from syncsource.sources.rest import reasons
from syncsource.sources.rest.asking import Ask
from syncsource.sources.rest.decoding import kind
from syncsource.sources.rest.recipe import Drafted
from syncsource.sources.rest.stops import Reading, Stops
from syncsource.sources.rest.trail import stuck

Values = tuple[Any, ...]


class Keyset:
    """Until a page is empty, or holds nothing but the ties that came before."""

    def __init__(self, model: KeysetPagination, stops: Stops, drafted: Drafted) -> None:
        self._model, self._stops, self._drafted = model, stops, drafted
        self._find = [finder(field.path) for field in model.fields]
        self._within: Values | None = None
        self._offset = 0
        self._largest = 0
        self.place: Any = None

    def first(self) -> Ask:
        return self._ask({}, {})

    def again(self, place: Any) -> Ask:
        last, self._offset, self._largest = tuple(place[0]), place[1], place[2]
        self._within = last if self._model.offset_param else None
        return self._after(last, self._offset)

    def taken(self, records: list[Any]) -> list[Any]:
        return records

    def following(self, reading: Reading) -> Ask | None:
        if reading.count == 0 or self._stops.verdict(reading) is True:
            return None
        known = next((record for record in reversed(reading.records) if self._is_known(record)), None)
        if known is None and self._is_tail(reading):
            return None
        last = self._values(reading.records[-1] if known is None else known, reading)
        ask = self._after(last, self._skip(last, reading))
        if ask != reading.asked:
            self._note(reading)
            self.place = last, self._offset, self._largest
            return ask
        if self._is_tail(reading):
            return None
        raise self._too_many_ties(last, reading)

    def _after(self, last: Values, skip: int) -> Ask:
        model = self._model
        fields = model.fields
        named = {field.path: value for field, value in zip(fields, last, strict=True)}
        parameters = {field.param: value for field, value in zip(fields, last, strict=True) if field.param}
        return self._ask(named, {**parameters, **({model.offset_param: skip} if model.offset_param else {})})

    def _ask(self, last: dict[str, Any], parameters: dict[str, Any]) -> Ask:
        model = self._model
        size = {model.size_param: model.size} if model.size_param else {}
        return self._drafted(last).plus(model.send_in, {**parameters, **size}).ask

    def _skip(self, last: Values, reading: Reading) -> int:
        """How many of the records that tie with the last one were read: where offsetParam goes on within the tie."""
        if not self._model.offset_param:
            return 0
        if last == self._within:
            self._offset += reading.count
        else:
            ties = takewhile(lambda record: self._loosely(record) == last, reversed(reading.records))
            self._within, self._offset = last, sum(1 for _ in ties)
        return self._offset

    def _note(self, reading: Reading) -> None:
        """The size that the upstream keeps to shows in pages that are not all ties."""
        if self._loosely(reading.records[0]) != self._loosely(reading.records[-1]):
            self._largest = max(self._largest, reading.count)

    def _is_tail(self, reading: Reading) -> bool:
        """A page that leads to itself: nothing comes after it if it is not full."""
        full = self._largest or self._model.size
        return reading.count < full if full else reading.count == 1

    def _values(self, record: Any, reading: Reading) -> Values:
        values = self._loosely(record)
        for field, value in zip(self._model.fields, values, strict=True):
            if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
                raise SchemaMismatch(
                    f"spec.source.http.pagination.keyset: the last record of page {reading.pages} ({reading.answer.call}) "
                    f"holds {kind(value)} at {outside_text(field.path, 60)!r}, not a text or a number",
                    reason=reasons.PAGINATION_UNREADABLE,
                )
        return values

    def _is_known(self, record: Any) -> bool:
        """Whether its values can be told: not of a record that could not be made out, which must not keep the next page away."""
        return not isinstance(record, Broken) or None not in self._loosely(record)

    def _loosely(self, record: Any) -> Values:
        record = record.record if isinstance(record, Broken) else record
        return tuple(find(record) for find in self._find)

    def _too_many_ties(self, last: Values, reading: Reading) -> Exception:
        call = reading.answer.call
        shown = ", ".join(call.redaction.text(str(value), 60) for value in last)
        return stuck(
            f"page {reading.pages} ({call}) does not advance: more records have {shown} than a page holds",
            "add the id to keyset.fields, or set offsetParam, or ask for larger pages",
        )
