"""A Firestore collection as a source."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

from syncsource.errors import SchemaMismatch, StalledError
from syncsource.records.converting import from_json, to_json
from syncsource.records.paths import quoted
from syncsource.resource.conditions import INVALID_SPEC
from syncsource.resource.firestore import FirestoreSource as Declared
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import Page, Slice
from syncsource.sources.firestore.answers import Answer
from syncsource.sources.firestore.bookmarks import TEXT, Bookmark, Kinds, as_value, digest
from syncsource.sources.firestore.client import Client
from syncsource.sources.firestore.mask import OWN, FieldPath, field_mask, plain_path, written
from syncsource.sources.firestore.query import Json, Query
from syncsource.sources.firestore.reading import COMFORTABLE, Reading, Size
from syncsource.sources.firestore.signing import Account
from syncsource.sources.firestore.values import Values
from syncsource.sources.hosts import Hosts
from syncsource.sources.rest.redaction import Redaction

_OWN_TIMES = (
    "a document's own update time, which Firestore can't query by: have each write set a field with serverTimestamp(), such as updatedAt, "
    "and name that one"
)


class FirestoreSource:
    """``spec.source.firestore``. Made by :meth:`open`."""

    waits = True

    def __init__(
        self,
        declared: Declared,
        mask: list[FieldPath] | None,
        cursor: FieldPath | None,
        connect: Callable[[Callable[[int], None]], Client],
        comfortable: int = COMFORTABLE,
    ) -> None:
        """``connect`` makes the client, given what is to be told of document reads. ``comfortable``: bytes of a page to aim at."""
        self._declared = declared
        self._mask = mask
        self._cursor = cursor
        self._values = Values(declared.references)
        self._comfortable = comfortable
        self._client = connect(self._charge)
        self._learned: dict[str, str] = {}
        """The type of the cursor's values by partition, for the windows of one run."""
        self.state: str | None = None
        self.unchanged = False
        self.billed = 0
        self.known: Sequence[str] = ()

    @classmethod
    def open(
        cls, spec: SyncSourceSpec, secrets: Mapping[str, Mapping[str, str]], *, hosts: Hosts, cancelled: threading.Event
    ) -> FirestoreSource:
        """See :func:`syncsource.sources.open_source`."""
        declared = spec.source.firestore
        assert declared is not None
        account = Account.of(declared.auth, secrets) if declared.auth else None
        redaction = Redaction([*(value for secret in secrets.values() for value in secret.values()), *(account.hidden if account else ())])
        cursor = _cursor(spec.incremental.cursor) if spec.incremental else None
        Query.of(declared, None, "x")  # what is wrong with its conditions is told before anything is sent

        def connect(charge: Callable[[int], None]) -> Client:
            return Client(declared, account, redaction, hosts=hosts, cancelled=cancelled, charge=charge)

        return cls(declared, _mask(spec) if declared.field_mask else None, cursor, connect)

    def pages(self, part: Slice) -> Iterator[Page]:
        """See :class:`syncsource.sources.Source`."""
        before = Bookmark.parse(part.state)
        self.state, self.unchanged = part.state, False
        query = Query.of(self._declared, self._mask, part.partition)
        kinds = self._kinds(query, part, before)
        count, found = 0, None
        for number, (answer, following) in enumerate(self._answers(query, part, kinds), 1):
            found = digest(answer.documents) if following is None and number == 1 and part.resume is None else None
            if found is not None and part.state is not None and (found, part.since) == (before.found, before.since):
                self.unchanged = True
                return
            if kinds:
                kinds.see(answer.documents)
            count += len(answer.documents)
            resume = None if following is None else to_json(following)
            page = Page(list(map(self._values.record, answer.documents)), answer.served_at, f"page {number}", resume=resume)
            del answer
            yield page
            del page  # So that a page that the reader is done with does not stay while the next one is read.
        if kinds and kinds.kind is None and count and part.resume is None:
            raise self._no_cursor(count)
        if kinds and kinds.kind:
            self._learned[part.partition] = kinds.kind
        self.state = Bookmark(kind=kinds.kind if kinds else None, since=part.since, found=found).text()

    def close(self) -> None:
        """See :class:`syncsource.sources.Source`."""
        self._client.close()

    def _answers(self, query: Query, part: Slice, kinds: Kinds | None) -> Iterator[tuple[Answer, Json | None]]:
        """All documents go by name, so that those without the cursor's field are found, too; a slice goes by the cursor."""
        start = end = None
        if kinds and (part.since is not None or part.until is not None):
            assert self._cursor is not None
            query = query.ordered_by(self._cursor)
            start, end = _bound(part.since, kinds), _bound(part.until, kinds)
        start = from_json(part.resume) if part.resume else start
        return Reading(self._client, query, Size(self._declared.page_size, self._comfortable), self._charge).answers(start, end)

    def _kinds(self, query: Query, part: Slice, before: Bookmark) -> Kinds | None:
        """Of the cursor's values. Where a slice is wanted and nobody remembers their type, the newest document tells."""
        if self._cursor is None:
            return None
        sliced = part.since is not None or part.until is not None
        kinds = Kinds(self._cursor, (before.kind or self._learned.get(part.partition)) if sliced else None)
        if kinds.kind is None and sliced:
            newest = query.ordered_by(self._cursor).newest()
            kinds.see(self._client.query(query.place.parent, {"structuredQuery": newest}).documents)
        return kinds

    def _charge(self, reads: int) -> None:
        self.billed += reads

    def _no_cursor(self, count: int) -> SchemaMismatch:
        assert self._cursor is not None
        name = written(self._cursor)
        advice = f"; if that was to be {_OWN_TIMES}" if self._cursor in (("updateTime",), ("createTime",)) else ""
        return SchemaMismatch(
            f"spec.incremental.cursor: none of the {count:,} documents of {self._declared.place} has the field {name}{advice}"
        )


def _bound(text: str | None, kinds: Kinds) -> Json | None:
    """The place right before the documents with this cursor, however many."""
    return None if text is None else {"values": [as_value(text, kinds.kind or TEXT)], "before": True}


def _cursor(path: str) -> FieldPath:
    """The field that a query can be ordered by. Raises StalledError (InvalidSpec)."""
    found = plain_path(path)
    if found is None:
        raise StalledError(
            f"spec.incremental.cursor: {path!r} must be a field's path, such as updatedAt or meta.updatedAt", reason=INVALID_SPEC
        )
    if OWN.fullmatch(found[0]):
        raise StalledError(f"spec.incremental.cursor: {path!r} is {_OWN_TIMES}", reason=INVALID_SPEC)
    return found


def _mask(spec: SyncSourceSpec) -> list[FieldPath] | None:
    """The fields that anything in the spec reads; None: all, where they are to be inferred."""
    if not spec.fields:
        return None
    columns = [field.path or quoted(field.name) for field in spec.fields if field.value is None and not field.partition]
    others = [spec.filter, spec.incremental.cursor if spec.incremental else None]
    return field_mask([*columns, *(path for path in others if path)])
