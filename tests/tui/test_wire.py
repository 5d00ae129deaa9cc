"""A control plane that answers late, cut off, or nonsense: the session goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from syncsource_tui.core.connection import Phase
from syncsource_tui.core.failures import Away, Expired, Failure, Forbidden, Missing, Refused, Unauthorized, Unusable
from syncsource_tui.kube.access import Access
from syncsource_tui.kube.client import Client
from syncsource_tui.kube.session import Session
from syncsource_tui.kube.watching import changes
from tests.tui.stage import NOW, ready, settle

Answer = Callable[[web.Request], Any]
OVER = web.AppKey("over", asyncio.Event)
SOURCES = "/apis/syncsource.dev/v1alpha1/syncsources"


class Fake:
    """Lists and watches are answered by what the test queues, one after another; the last answer again and again."""

    def __init__(self) -> None:
        self.lists: list[Answer] = []
        self.watches: list[Answer] = []
        self.asked: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path != SOURCES:
            return web.json_response({"status": {"allowed": True}})
        self.asked.append(dict(request.query))
        queue = self.watches if "watch" in request.query else self.lists
        answered = (queue.pop(0) if len(queue) > 1 else queue[0])(request)
        return await answered if asyncio.iscoroutine(answered) else answered


@pytest.fixture
async def fake(tmp_path: Path) -> AsyncIterator[tuple[Fake, str]]:
    """The server, and a kubeconfig for it."""
    fake = Fake()
    app = web.Application()
    app[OVER] = asyncio.Event()
    app.router.add_route("*", "/{path:.*}", fake.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(kubeconfig(f"http://127.0.0.1:{port}")))
    yield fake, str(path)
    app[OVER].set()
    await runner.cleanup()


def kubeconfig(server: str, **user: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": user}],
    }


def source(name: str, version: str = "5") -> dict[str, Any]:
    return {"metadata": {"uid": name, "name": name, "namespace": "x", "resourceVersion": version}, "status": ready()}


def page(*names: str, version: str = "5", more: str = "") -> Answer:
    return lambda request: web.json_response(
        {"items": [source(name) for name in names], "metadata": {"resourceVersion": version, **({"continue": more} if more else {})}}
    )


def told(code: int, message: str) -> Answer:
    return lambda request: web.json_response({"kind": "Status", "code": code, "message": message}, status=code)


def stream(*chunks: bytes, hang: bool = True) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        if hang:
            await request.app[OVER].wait()
        return response

    return answer


def event(kind: str, found: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": found}).encode() + b"\n"


@contextlib.asynccontextmanager
async def running(path: str) -> AsyncIterator[Session]:
    session = Session(Access(path), now=lambda: NOW)
    task = asyncio.create_task(session.run())
    try:
        yield session
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_pages_are_read_to_the_last(fake: tuple[Fake, str]) -> None:
    server, path = fake
    server.lists = [page("a", "b", more="p2"), page("c", more="p3"), page("d", version="9")]
    server.watches = [stream()]
    async with running(path) as session:
        await settle(lambda: session.connection.is_live and len(server.asked) == 4)
        assert sorted(session.store.rows) == ["a", "b", "c", "d"]
        assert [asked.get("continue") for asked in server.asked[:3]] == [None, "p2", "p3"]
        assert server.asked[3]["resourceVersion"] == "9"


async def test_a_list_that_got_too_old_between_two_pages_begins_again(fake: tuple[Fake, str]) -> None:
    server, path = fake
    server.lists = [page("a", "gone", more="p2"), told(410, "expired"), page("a", "b")]
    server.watches = [stream()]
    async with running(path) as session:
        await settle(lambda: session.connection.is_live)
        assert sorted(session.store.rows) == ["a", "b"]
        assert session.connection.failures == 0


async def test_a_watch_that_is_too_old_lists_anew_and_is_never_stale(fake: tuple[Fake, str]) -> None:
    server, path = fake
    server.lists = [page("a"), page("a", "b", version="70")]
    server.watches = [stream(event("ERROR", {"code": 410, "message": "too old"}), hang=False), stream()]
    async with running(path) as session:
        await settle(lambda: len(session.store.rows) == 2 and len(server.asked) == 4)
        assert (session.connection.phase, session.connection.failures) == (Phase.LIVE, 0)


async def test_a_watch_that_ends_goes_on_where_it_was(fake: tuple[Fake, str]) -> None:
    server, path = fake
    bookmark = event("BOOKMARK", {"metadata": {"resourceVersion": "50"}})
    server.lists = [page("a")]
    server.watches = [stream(event("ADDED", source("b", "40")), bookmark, hang=False), stream(event("DELETED", source("a", "51")))]
    async with running(path) as session:
        await settle(lambda: list(session.store.rows) == ["b"])
        assert [asked.get("resourceVersion") for asked in server.asked] == [None, "5", "50"]


@pytest.mark.parametrize(
    "broken",
    [
        stream(b'{"type":"ADDED","obj', hang=False),
        stream(b"not json\n"),
        stream(b'[1,2]\n{"type":5}\n'),
        told(500, "down"),
        told(429, "slowly"),
    ],
    ids=["cut", "text", "shape", "500", "429"],
)
async def test_a_watch_that_breaks_makes_it_stale_and_is_begun_again(fake: tuple[Fake, str], broken: Answer) -> None:
    server, path = fake
    server.lists = [page("a"), page("a", "b")]
    server.watches = [broken, stream()]
    async with running(path) as session:
        await settle(lambda: session.connection.phase is Phase.STALE)
        assert list(session.store.rows) == ["a"]
        session.poke()
        await settle(lambda: session.connection.is_live)
        assert sorted(session.store.rows) == ["a", "b"]


async def test_events_in_any_pieces(fake: tuple[Fake, str]) -> None:
    server, path = fake
    whole = event("ADDED", source("ü" * 5000)) + event("ADDED", source("c"))
    server.lists = [page("a")]
    server.watches = [stream(*(whole[start : start + 997] for start in range(0, len(whole), 997)))]
    async with running(path) as session:
        await settle(lambda: "c" in session.store.rows)
        assert len(session.store.rows) == 3


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (told(401, "who"), Unauthorized, "who"),
        (told(403, "no"), Forbidden, "no"),
        (told(404, "none"), Missing, "none"),
        (told(410, "old"), Expired, "old"),
        (told(422, "not\x1b[2J valid"), Refused, "not valid"),
        (told(503, "later"), Away, "later (503)"),
        (lambda request: web.Response(text="<html>proxy</html>", status=502), Away, "<html>proxy</html> (502)"),
        (lambda request: web.Response(text="<html>login</html>"), Away, "the answer is not an object of JSON: <html>login</html>"),
        (lambda request: web.Response(text="[" * 100_000), Away, "the answer is not an object of JSON"),
        (lambda request: web.Response(body=b"\xff\xfe"), Away, "the answer is not an object of JSON"),
    ],
)
async def test_what_each_answer_means(fake: tuple[Fake, str], answer: Answer, kind: type[Failure], words: str) -> None:
    server, path = fake
    server.lists = [answer]
    client = await Access(path).open()
    with pytest.raises(kind) as caught:
        await client.get(SOURCES, right="list things")
    assert caught.value.message.startswith(words)
    if isinstance(caught.value, Forbidden):
        assert caught.value.right == "list things"
    await client.close()


async def test_a_client_that_was_closed_is_away(fake: tuple[Fake, str]) -> None:
    client = await Access(fake[1]).open()
    await client.close()
    with pytest.raises(Away):
        await client.get(SOURCES)


async def test_a_watch_of_a_closed_client_ends(fake: tuple[Fake, str]) -> None:
    server, path = fake
    server.watches = [stream()]
    client = await Access(path).open()

    async def read() -> None:
        async for _ in changes(client, SOURCES, "1", right=""):
            pass

    reading = asyncio.create_task(read())
    await settle(lambda: bool(server.asked))
    await client.close()
    with pytest.raises(Away):
        await reading


async def test_how_we_log_in(fake: tuple[Fake, str], tmp_path: Path) -> None:
    server, path = fake
    seen: list[str | None] = []

    def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.json_response({})

    server.lists = [answer]
    host = json.loads(Path(path).read_text())["clusters"][0]["cluster"]["server"]  # noqa: ASYNC240
    users: list[dict[str, Any]] = [{}, {"token": "t0"}, {"username": "ana", "password": "pw"}, {"exec": _plugin()}]
    for number, user in enumerate(users):
        config = tmp_path / f"{number}"
        config.write_text(json.dumps(kubeconfig(host, **user)))
        client: Client = await Access(str(config)).open()
        await client.get(SOURCES)
        await client.close()
    assert seen == [None, "Bearer t0", "Basic YW5hOnB3", "Bearer from-plugin"]


def _plugin() -> dict[str, Any]:
    told = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "from-plugin"}}
    return {"apiVersion": told["apiVersion"], "command": "echo", "args": [json.dumps(told)], "interactiveMode": "Never"}


@pytest.mark.parametrize("text", ["", "[]", "nonsense", "users: [", "{}", '{"current-context": "c", "contexts": []}', "\x00"])
async def test_a_kubeconfig_that_can_not_be_used(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(Unusable, match="the kubeconfig"):
        await Access(str(path)).open()


async def test_a_context_that_is_not_there(fake: tuple[Fake, str]) -> None:
    with pytest.raises(Unusable, match="nowhere"):
        await Access(fake[1], "nowhere").open()
