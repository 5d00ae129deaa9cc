"""The upstream breaks off in mid-page or is gone for a while: nothing of the run is written, status says why, and all goes on by itself."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.e2e.api import Api
from tests.e2e.cluster import Object, condition, history
from tests.e2e.databases import Warehouse
from tests.e2e.torture.conftest import Operators
from tests.e2e.torture.stock import PAGE
from tests.e2e.torture.subject import Subject, subjects
from tests.upstream import Reply

LOST = "the connection was lost before the answer was complete"


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _chunk(body: bytes) -> Reply:
    return Reply(b"%x\r\n%s" % (len(body), _half(body)), headers={"Transfer-Encoding": "chunked"}, framed=False)


SPOILT: dict[str, Callable[[bytes], Reply]] = {
    "length": lambda body: Reply(_half(body), length=len(body)),
    "chunks": _chunk,
    "unframed": lambda body: Reply(_half(body), framed=False),
}


@pytest.mark.parametrize(("kind", "database"), [("length", "postgresql"), ("chunks", "sqlite"), ("unframed", "postgresql")])
def test_a_page_is_cut(kind: str, database: str, operators: Operators, api: Api, request: pytest.FixtureRequest) -> None:
    warehouse: Warehouse = request.getfixturevalue(database)
    [subject] = subjects([warehouse], api, [(f"cut-{kind}", kind != "chunks")])
    _begin(subject, operators)
    subject.stock.spoil = SPOILT[kind]
    told = _fails(subject, operators)
    assert condition(told, "Ready")["reason"] == "ConnectionLost"
    assert LOST in condition(told, "Ready")["message"]
    subject.stock.spoil = None
    _recovers(subject, operators)


def test_it_is_gone_for_a_while(operators: Operators, sqlite: Warehouse) -> None:
    with Api.serving() as api:
        [subject] = subjects([sqlite], api, [("gone", True)])
        _begin(subject, operators)
        subject.stock.hold()
    subject.stock.release()
    told = _fails(subject, operators)
    assert condition(told, "Ready")["reason"] == "ConnectionFailed"
    assert "no connection" in condition(told, "Ready")["message"]
    with Api.serving(api.upstream.port) as back:
        back.routes.update(api.routes)
        _recovers(subject, operators)


def _begin(subject: Subject, operators: Operators) -> None:
    assert operators.one
    subject.begin(operators.cluster)
    subject.stock.change(random.Random(1), 3 * PAGE)
    subject.edit(random.Random(2))


def _fails(subject: Subject, operators: Operators) -> Object:
    """A run that breaks off: nothing of it is written."""
    before = subject.state()
    operators.cluster.annotate(subject.name, requestedAt="one")
    told = operators.cluster.wait(subject.name, lambda source: condition(source, "Ready").get("status") == "False")
    assert condition(told, "Syncing")["reason"] in ("BackingOff", "Running")
    assert subject.state() == before
    return told


def _recovers(subject: Subject, operators: Operators) -> None:
    done = subject.rest(operators.cluster, "one")
    subject.check_rows()
    subject.check_status(done)
    assert (history(done)[0]["trigger"], history(done)[0]["result"]) == ("Retry", "Succeeded")
