"""JSON (RFC 8259), digit for digit, and the list of records in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
from jmespath.exceptions import JMESPathError

from syncsource.errors import PermanentError, RetryableError, SchemaMismatch, SyncError, outside_text
from syncsource.records.paths import finder
from syncsource.sources.rest import reasons, torn
from syncsource.sources.rest.answers import Answer, Received
from syncsource.sources.rest.duplicates import marked, set_aside, twice_in
from syncsource.sources.rest.torn import halves_in, twins

BOM = b"\xef\xbb\xbf"
TRUNCATED = "Input data was truncated"
_NAMES_SHOWN = 20
# Integers stay int whatever their size; everything with a point or an exponent goes to Decimal as its text.
decode = msgspec.json.Decoder(float_hook=Decimal).decode


def decoded(received: Received) -> Answer:
    """The answer with its body decoded, whatever content type it claims.

    Raises PermanentError (NotJSON, NumberOutOfRange). A body that ends too early where only the end of the
    connection marks its end is a lost connection: RetryableError (ConnectionLost).
    """
    content = received.content.removeprefix(BOM)
    try:
        body = decode(content)
    except (msgspec.ValidationError, ArithmeticError):
        raise PermanentError(
            f"{received.call}: a number in the body has more digits than can be kept exactly", reason=reasons.NUMBER_OUT_OF_RANGE
        ) from None
    except (ValueError, RecursionError) as error:
        return _torn(received, content, error)
    return _answer(received, body, marked=marked(content, body))


def _answer(received: Received, body: Any, *, marked: Any = None, torn: Any = None) -> Answer:
    fingerprint = len(received.content), hash(received.content)
    return Answer(received.call, received.status, received.headers, body, fingerprint, marked, torn)


def _torn(received: Received, content: bytes, error: Exception) -> Answer:
    """An answer that is JSON but for halves of surrogate pairs; else raises what is wrong with it."""
    found = None
    with suppress(ValueError, ArithmeticError, RecursionError):
        found = twins(content, decode)
    if found is None:
        raise _not_json(received, error) from None
    return _answer(received, found[0], torn=found[1])


def records_at(path: str | None, *, single: bool = False) -> Callable[[Answer], list[Any]]:
    """A function from an answer to its list of records, which raises SchemaMismatch (RecordsNotFound).

    ``single``: an object that ``path`` leads to is the only record. Without a path it is none, since errors look like that, too.
    Records that name a member twice are Broken; elsewhere in the body that raises PermanentError (DuplicateKeys).
    """
    search = finder(path) if path else None

    def found(answer: Answer) -> list[Any]:
        at = look_up(search, answer, "spec.source.http.records") if search else answer.body
        if isinstance(at, list):
            return at
        if single and search and isinstance(at, dict):
            return [at]
        raise _no_list(path, at, answer)

    def records(answer: Answer) -> list[Any]:
        here = found(answer)
        if answer.torn is not None:
            others = found(replace(answer, body=answer.torn))
            if halves_in(here, others) < halves_in(answer.body, answer.torn):
                raise PermanentError(f"{answer.call}: a text in the body, outside the records, holds {_TORN_PAIR}", reason=reasons.NOT_JSON)
            return torn.set_aside(here, others)
        if answer.marked is None:
            return here
        twins = found(replace(answer, body=answer.marked))
        if len(list(twice_in(twins))) < len(list(twice_in(answer.marked))):
            raise PermanentError(
                f"{answer.call}: an object in the body, outside the records, names a member twice", reason=reasons.DUPLICATE_KEYS
            )
        return set_aside(here, twins)

    return records


def look_up(search: Callable[[Any], Any], answer: Answer, field: str) -> Any:
    """What a path finds in the body. Raises SchemaMismatch where the path's functions don't fit what they meet."""
    try:
        return search(answer.body)
    except JMESPathError as error:
        said = answer.call.redaction.text(str(error))
        raise SchemaMismatch(f"{field}: the path can't be applied to the answer of {answer.call}: {said}") from None


def kind(value: Any) -> str:
    """What a JSON value is, in words."""
    if isinstance(value, bool):
        return str(value).lower()
    return {dict: "an object", list: "a list", str: "a text", type(None): "nothing"}.get(type(value), "a number")


def _no_list(path: str | None, found: Any, answer: Answer) -> SchemaMismatch:
    if path is None:
        said = f"the body is {kind(found)}, not a list: set it to the path of the list of records" + _ONE * isinstance(found, dict)
    else:
        said = f"{outside_text(path, 100)!r} finds {kind(found)}, not a list"
    return SchemaMismatch(
        f"spec.source.http.records: {said}; in the answer of {answer.call}, {_shape(answer)}", reason=reasons.RECORDS_NOT_FOUND
    )


_ONE = ", or to @ where the body is the only record"


def _shape(answer: Answer) -> str:
    if not isinstance(answer.body, dict):
        return f"the body is {kind(answer.body)}"
    names = [answer.call.redaction.text(name, 60) for name in list(answer.body)[:_NAMES_SHOWN]]
    more = f" and {len(answer.body) - len(names)} more" if len(answer.body) > len(names) else ""
    return f"the body has the fields {', '.join(names)}{more}" if names else "the body is an empty object"


def _not_json(received: Received, error: Exception) -> SyncError:
    content, call = received.content, received.call
    cause = what_is_wrong(content.removeprefix(BOM), error)
    if cause == TRUNCATED:
        if not received.framed:
            return RetryableError(f"{call}: the connection was lost before the answer was complete", reason=reasons.CONNECTION_LOST)
        cause = "the JSON ends too early"
    kind_of = call.redaction.text(received.headers.get("content-type", "no content type"), 80)
    shown = call.redaction.text(content[:8192].decode("utf-8", "replace"))
    return PermanentError(
        f"{call} answered {received.status} with {kind_of}, which is not JSON ({call.redaction.text(cause, 120)})"
        + (f": {shown}" if shown else "")
        + ("" if "json" in kind_of else "; check spec.source.http.baseURL and spec.source.http.request"),
        reason=reasons.NOT_JSON,
    )


def what_is_wrong(content: bytes, error: Exception) -> str:
    """Why a text is not JSON, in words; TRUNCATED where more might have made it JSON."""
    if not content.strip():
        return "the body is empty"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return _not_utf8(content)
    return _TORN_PAIR if str(error) == TRUNCATED and _is_whole(content) else str(error)


_TORN_PAIR = "half of a surrogate pair, which is no character"


def _not_utf8(content: bytes) -> str:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return f"invalid UTF-8 (byte {error.start})"
    return _TORN_PAIR


def _is_whole(content: bytes) -> bool:
    """Whether it ends as JSON does: half a pair at its end looks cut to the decoder."""
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True
