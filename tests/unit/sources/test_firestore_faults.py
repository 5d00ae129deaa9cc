"""What goes wrong on the way, and that nothing is lost, doubled or told that should not be."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import jwt
import msgspec
import pytest

from syncsource.errors import AbortedError, SyncError
from syncsource.sources import Hosts, HostTable, Slice
from syncsource.sources.firestore.reading import Size
from syncsource.sources.hosts.messages import Paused
from tests.firestore.reading import SECRET, bounded, ids, opened, read
from tests.firestore.server import AUDIENCE, Account, Fault, Firestore, array, error, firestore, refusal
from tests.upstream import Asked, Reply

INDEX = "https://console.firebase.google.com/v1/r/project/shop-1/firestore/indexes?create_composite=" + "Q" * 300
RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.005s"}


@pytest.fixture
def server() -> Iterator[Firestore]:
    with firestore() as server:
        for number in range(6):
            server.put(f"orders/{number}", {"number": number})
        yield server


@pytest.fixture(scope="module")
def account() -> Account:
    return Account()


@pytest.fixture
def guarded(account: Account) -> Iterator[Firestore]:
    with firestore(account) as server:
        server.put("orders/1", {})
        yield server


def answering(reply: Reply) -> Fault:
    return lambda asked, elements: reply


def failing(server: Firestore, fault: Fault, **options: Any) -> tuple[str, str, str]:
    """Class, reason and message, with URL in place of the server's."""
    server.faults.append(fault)
    with pytest.raises(SyncError) as caught:
        read(opened(server, **options))
    return type(caught.value).__name__, caught.value.reason, caught.value.message.replace(server.url, "URL")


CALL = "POST URL/v1/projects/shop-1/databases/(default)/documents:runQuery"
ENDED = "; gave up after try 1 (spec.source.firestore.retry.attempts)"


def cut(asked: Asked, elements: list[str]) -> Reply:
    """The connection breaks in mid-stream."""
    whole = array(elements)
    return Reply(whole[: len(whole) // 2], length=len(whole))


def unended(asked: Asked, elements: list[str]) -> Reply:
    """The array has no end, though the body has one."""
    return Reply(array(elements)[:-3])


def broken_off(asked: Asked, elements: list[str]) -> Reply:
    return Reply(array([*elements[:2], error(503, "UNAVAILABLE", "The service is currently unavailable.")]))


FAULTS: list[tuple[Fault, str, str, str]] = [
    (
        answering(refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", RETRY_INFO)),
        "RetryableError",
        "RateLimited",
        f"{CALL} answered 429 RESOURCE_EXHAUSTED: Quota exceeded.{ENDED}",
    ),
    (
        answering(refusal(503, "UNAVAILABLE", "The service is currently unavailable.")),
        "RetryableError",
        "UpstreamUnavailable",
        f"{CALL} answered 503 UNAVAILABLE: The service is currently unavailable.{ENDED}",
    ),
    (
        answering(refusal(504, "DEADLINE_EXCEEDED", "Query timed out.")),
        "RetryableError",
        "Timeout",
        f"{CALL} answered 504 DEADLINE_EXCEEDED: Query timed out.{ENDED}",
    ),
    (
        broken_off,
        "RetryableError",
        "UpstreamUnavailable",
        f"{CALL} answered 503 UNAVAILABLE: The service is currently unavailable.{ENDED}",
    ),
    (
        unended,
        "RetryableError",
        "ConnectionLost",
        f"{CALL}: the connection was lost before the answer was complete: the array of documents has no end{ENDED}",
    ),
    (
        answering(Reply(b"<html>502</html>", 502, {"Content-Type": "text/html"})),
        "RetryableError",
        "UpstreamUnavailable",
        f"{CALL} answered 502: <html>502</html>{ENDED}",
    ),
    (
        answering(refusal(400, "FAILED_PRECONDITION", f"The query requires an index. You can create it here: {INDEX}")),
        "PermanentError",
        "IndexMissing",
        f"{CALL} answered 400 FAILED_PRECONDITION: The query requires an index. You can create it here: {INDEX}",
    ),
    (
        answering(refusal(400, "INVALID_ARGUMENT", "Bad \x1b[31mquery\x1b[0m")),
        "PermanentError",
        "UpstreamRefused",
        f"{CALL} answered 400 INVALID_ARGUMENT: Bad [31mquery [0m",
    ),
    (
        answering(refusal(403, "PERMISSION_DENIED", "Missing or insufficient permissions.")),
        "PermanentError",
        "AuthFailed",
        f"{CALL} answered 403 PERMISSION_DENIED: Missing or insufficient permissions.; it wants credentials; set spec.source.firestore.auth",
    ),
    (
        answering(refusal(404, "NOT_FOUND", "The database (default) does not exist for project shop-1")),
        "PermanentError",
        "NotFound",
        f"{CALL} answered 404 NOT_FOUND: The database (default) does not exist for project shop-1; "
        "check project and database of spec.source.firestore",
    ),
    (
        answering(Reply(b"<html>Sign in</html>", 200, {"Content-Type": "text/html"})),
        "PermanentError",
        "NotJSON",
        f"{CALL} did not answer as Firestore does: with text/html, which is not JSON: <html>Sign in</html>; check spec.source.firestore.endpoint",
    ),
    (
        answering(Reply({"hello": "world"})),
        "PermanentError",
        "NotJSON",
        f"{CALL} did not answer as Firestore does: with JSON that is no array of documents; check spec.source.firestore.endpoint",
    ),
    (
        answering(Reply([{"document": {"fields": {}}}])),
        "PermanentError",
        "NotJSON",
        f"{CALL} did not answer as Firestore does: a document has no name; check spec.source.firestore.endpoint",
    ),
    (
        answering(Reply(b"[" * 100_000 + b"]" * 100_000)),
        "PermanentError",
        "NotJSON",
        "did not answer as Firestore does",
    ),
    (
        answering(Reply(b"", 302, {"Location": "https://evil.example/"})),
        "PermanentError",
        "RedirectRefused",
        f"{CALL} answered 302, a redirect that turns POST into GET; put the address it leads to into spec.source.firestore",
    ),
    (
        answering(Reply(b"", 307, {"Location": "https://evil.example/"})),
        "PermanentError",
        "ForeignHost",
        f"{CALL} answered 307, a redirect away from the origin of spec.source.firestore.endpoint, to https://evil.example/; nothing was sent there",
    ),
    (
        answering(Reply({"error": "plain"}, 418)),
        "PermanentError",
        "UpstreamRefused",
        f'{CALL} answered 418: {{"error": "plain"}}',
    ),
]


@pytest.mark.parametrize(("fault", "kind", "reason", "message"), FAULTS)
def test_what_went_wrong_is_told(server: Firestore, fault: Fault, kind: str, reason: str, message: str) -> None:
    found = failing(server, fault)
    assert found[:2] == (kind, reason)
    assert message in found[2]


@pytest.mark.parametrize("page", [0, 1, 2])
@pytest.mark.parametrize("fault", [cut, unended, broken_off, answering(refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", RETRY_INFO))])
def test_a_page_that_failed_is_read_again_and_no_document_is_lost_or_doubled(server: Firestore, fault: Fault, page: int) -> None:
    server.faults.extend([*[None] * page, fault])
    assert ids(read(opened(server, pageSize=2, retry={"attempts": 2, "backoff": "1ms"}))) == list("012345")


@pytest.mark.parametrize(
    "reply",
    [
        refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", headers={"Retry-After": "7200"}),
        refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", {**RETRY_INFO, "retryDelay": "7200s"}),
    ],
)
def test_a_long_pause_that_is_asked_for_ends_the_run_and_says_when(server: Firestore, reply: Reply) -> None:
    server.faults.append(answering(reply))
    with pytest.raises(SyncError) as caught:
        read(opened(server, retry={"attempts": 5}))
    assert caught.value.after == 7200  # type: ignore[attr-defined]
    assert "it asks to wait 7200s, longer than 1m (spec.source.firestore.retry.maxBackoff)" in caught.value.message
    assert len(server.upstream.asked) == 1


def test_a_pause_without_end_is_none(server: Firestore) -> None:
    """What runs tell the table of hosts crosses a process border as JSON: an infinity would end the border."""
    told: list[Any] = []
    server.faults.append(answering(refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", {**RETRY_INFO, "retryDelay": "9" * 400 + "s"})))
    with pytest.raises(SyncError) as caught:
        read(opened(server))
    assert (caught.value.reason, caught.value.after) == ("RateLimited", None)  # type: ignore[attr-defined]
    Hosts(HostTable().ask, told.append, threading.Event()).pause("h", 1, float("inf"))
    assert [msgspec.json.decode(msgspec.json.encode(note), type=Paused).seconds for note in told] == [3600.0]


def test_a_status_that_repeats_the_token_is_told_without_it(guarded: Firestore) -> None:
    def echoing(asked: Asked, elements: list[str]) -> Reply:
        return refusal(400, asked.headers["authorization"], "No.")

    kind, reason, message = failing(guarded, echoing)
    assert (kind, reason) == ("PermanentError", "UpstreamRefused")
    assert not any(token in message for token in guarded.tokens)
    assert "Bearer ***" in message


def test_a_jwt_of_the_account_is_sent_and_shared_by_all_pages(guarded: Firestore, account: Account) -> None:
    guarded.put("orders/2", {})
    assert ids(read(opened(guarded, pageSize=1))) == ["1", "2"]
    (token,) = set(guarded.tokens)
    claims = jwt.decode(token, account.key.public_key(), ["RS256"], audience=AUDIENCE)
    assert claims["iss"] == claims["sub"] == account.email
    assert claims["exp"] - claims["iat"] == 3600
    assert abs(claims["iat"] - time.time()) < 60


def test_a_token_that_is_not_taken_is_replaced_once(guarded: Firestore) -> None:
    guarded.faults.append(answering(refusal(401, "UNAUTHENTICATED", "Expired.")))
    assert ids(read(opened(guarded))) == ["1"]
    assert len(guarded.upstream.asked) == 2


def test_a_key_that_google_no_longer_knows_is_told_without_its_token(guarded: Firestore) -> None:
    source = opened(guarded)
    guarded.account = Account(key_id="another")
    with pytest.raises(SyncError) as caught:
        read(source)
    assert (type(caught.value).__name__, caught.value.reason) == ("PermanentError", "AuthFailed")
    assert f"check the key in Secret {SECRET} (spec.source.firestore.auth)" in caught.value.message
    assert len(guarded.upstream.asked) == 2
    assert not any(token in caught.value.message for token in guarded.tokens)


def test_what_an_upstream_echoes_is_hidden(guarded: Firestore, account: Account) -> None:
    def echo(asked: Asked, elements: list[str]) -> Reply:
        return refusal(403, "PERMISSION_DENIED", f"not with {asked.headers['authorization']} nor {account.pem}")

    said = failing(guarded, echo)[2]
    assert "answered 403 PERMISSION_DENIED: not with Bearer *** nor ***;" in said


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("{", "serviceAccount.json is not JSON"),
        ("[]", "serviceAccount.json is not the key file of a service account"),
        ('{"type": "authorized_user"}', "serviceAccount.json is not the key file of a service account"),
        ('{"type": "service_account", "client_email": "a@b"}', "serviceAccount.json lacks private_key and private_key_id"),
        (
            json.dumps({"type": "service_account", "client_email": "a@b", "private_key_id": "1", "private_key": "hunter2"}),
            "serviceAccount.json has a private_key that is not PEM",
        ),
        (None, "lacks serviceAccount.json; spec.source.firestore.auth.serviceAccount needs its serviceAccount.json"),
    ],
)
def test_a_key_file_that_is_none_is_told_and_not_quoted(guarded: Firestore, file: str | None, said: str) -> None:
    with pytest.raises(SyncError) as caught:
        opened(guarded, key_file=file or "")
    assert said in caught.value.message
    assert "hunter2" not in caught.value.message
    assert caught.value.reason == ("SecretInvalid" if file else "SecretNotFound")
    assert not guarded.upstream.asked


def test_huge_documents_come_in_small_pages() -> None:
    """Documents of 1 MiB each: pages shrink before memory is full, and no document is left out."""
    with firestore() as server:
        for number in range(12):
            server.put(f"orders/{number:02d}", {"blob": "x" * 2**20 if 4 <= number < 9 else "small"})
        source = bounded(server, comfortable=2**21, pageSize=4)
        pages = [ids(list(page.records)) for page in source.pages(Slice())]
    assert [name for page in pages for name in page] == [f"{number:02d}" for number in range(12)]
    assert [len(page) for page in pages][:3] == [4, 4, 1]


def test_an_answer_too_large_to_hold_is_asked_for_in_parts(server: Firestore) -> None:
    source = bounded(server, largest=800, pageSize=300)
    assert ids(read(source)) == list("012345")
    assert max(one.structured_query.limit.value for one in server.queries[3:]) <= 4
    assert source.billed >= server.reads


def test_a_single_document_that_is_too_large_is_an_error(server: Firestore) -> None:
    with pytest.raises(SyncError, match="one document is larger than any of Firestore can be"):
        read(bounded(server, largest=100, pageSize=2))


def test_pages_grow_again_after_documents_that_were_large() -> None:
    size = Size(300, 1000)
    sizes = []
    for documents, weight in ((300, 3000), (100, 100), (200, 200), (300, 200)):
        size.learn(_answer(documents, weight))
        sizes.append(size.limit)
    assert sizes == [100, 200, 300, 300]


def _answer(documents: int, size: int) -> Any:
    from syncsource.sources.firestore.answers import Answer

    return Answer([{}] * documents, None, None, size)


def test_compressed_answers_are_read_and_compressed_bombs_are_not_held(server: Firestore) -> None:
    bomb = gzip.compress(b"[" + b" " * 50_000_000)
    server.faults.append(lambda asked, elements: Reply(gzip.compress(array(elements)), headers={"Content-Encoding": "gzip"}))
    server.faults.extend([lambda asked, elements: Reply(bomb, headers={"Content-Encoding": "gzip"})] * 9)
    assert ids(read(opened(server))) == list("012345")
    assert "gzip" in server.upstream.asked[0].headers["user-agent"]  # without which Google does not compress
    with pytest.raises(SyncError) as caught:
        read(bounded(server, largest=1_000_000, pageSize=8))
    assert caught.value.reason == "AnswerTooLarge"


def test_a_cancellation_ends_a_wait_for_an_answer(server: Firestore) -> None:
    cancelled = threading.Event()

    def hang(asked: Asked, elements: list[str]) -> Reply:
        cancelled.set()
        server.upstream.over.wait(30)
        return Reply(array(elements))

    server.faults.append(hang)
    with pytest.raises(AbortedError):
        read(opened(server, cancelled=cancelled))
    server.upstream.over.set()


def test_an_answer_that_takes_too_long_is_a_timeout(server: Firestore) -> None:
    def drip(asked: Asked, elements: list[str]) -> Reply:
        def pieces() -> Iterator[bytes]:
            yield b"["
            while not server.upstream.over.wait(0.02):
                yield b" "

        return Reply(pieces(), framed=False)

    said = failing(server, drip, timeout="300ms")
    assert said[:2] == ("RetryableError", "Timeout")
    assert "no complete answer within 300ms (spec.source.firestore.timeout)" in said[2]
