"""How a connection is made: certificates of both sides, proxies, limits of time, and what Secrets add to a request."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncsource.errors import StalledError
from syncsource.sources import Slice, local_hosts
from tests.unit.sources.test_tls import written
from tests.upstream import Asked, Reply, hanging, in_turn, listening

REF = {"secretRef": {"name": "api"}}


def header(name: str, key: str) -> dict[str, Any]:
    return {"name": name, "secretKeyRef": {"name": "api", "key": key}}


def test_a_key_in_a_cookie(serve: Any, read: Any) -> None:
    upstream = serve(lambda asked: Reply([asked.headers["cookie"]]))
    auth = {"apiKey": {**REF, "cookie": "session"}}
    assert read(upstream.url, auth=auth, secrets={"api": {"apiKey": "k1"}}, request={"headers": {"Cookie": "a=b"}}) == ["a=b; session=k1"]
    assert read(upstream.url, auth=auth, secrets={"api": {"apiKey": "k1\n"}}) == ["session=k1"]


def test_a_key_with_a_prefix(serve: Any, read: Any) -> None:
    upstream = serve(lambda asked: Reply([asked.headers["x-key"]]))
    auth = {"apiKey": {**REF, "header": "X-Key", "prefix": "Token "}}
    assert read(upstream.url, auth=auth, secrets={"api": {"apiKey": "k1"}}) == ["Token k1"]


@pytest.mark.parametrize("key", ["a;b", 'a"b', "a b", "é"])
def test_a_key_that_no_cookie_can_carry(opened: Any, key: str) -> None:
    with pytest.raises(StalledError) as caught:
        opened("http://127.0.0.1", auth={"apiKey": {**REF, "cookie": "c"}}, secrets={"api": {"apiKey": key}})
    assert (caught.value.reason, caught.value.message) == (
        "SecretInvalid",
        "Secret api can't be sent in a cookie: apiKey holds a character that RFC 6265 excludes",
    )


def test_headers_from_secrets_and_what_hides_them(serve: Any, read: Any, failure: Any) -> None:
    secrets = {"api": {"a": "first-secret\n", "b": "second", "token": "t"}}
    options = {
        "request": {"headers": {"x-a": "mine"}, "headersFrom": [header("X-A", "a"), header("X-B", "b"), header("Authorization", "b")]}
    }
    upstream = serve(lambda asked: Reply([[asked.headers[name] for name in ("x-a", "x-b", "authorization")]]))
    assert read(upstream.url, auth={"bearer": REF}, secrets=secrets, **options) == [["first-secret", "second", "Bearer t"]]
    echo = serve(lambda asked: Reply(f"{asked.headers['x-a']}!".encode(), status=400))
    assert failure(echo.url, secrets=secrets, **options)[0].message == f"GET {echo.url} answered 400: ***!"


@pytest.mark.parametrize(
    ("declared", "values", "reason", "words"),
    [
        (header("X-A", "a"), None, "SecretNotFound", "Secret api was not found; spec.source.http.request.headersFrom: X-A needs its a"),
        (header("X-A", "a"), {"a": " "}, "SecretNotFound", "Secret api lacks a; spec.source.http.request.headersFrom: X-A needs its a"),
        (header("X-A", "a"), {"a": "x\ny"}, "SecretInvalid", "Secret api can't be sent in a header: it holds a line break or is not ASCII"),
        (header("X A", "a"), {"a": "x"}, "InvalidSpec", "spec.source.http.request.headersFrom: X A: 'X A' is not a header's name"),
        (
            header("Transfer-Encoding", "a"),
            {"a": "x"},
            "InvalidSpec",
            "spec.source.http.request.headersFrom: Transfer-Encoding: Transfer-Encoding is set by the connection itself; remove it",
        ),
    ],
)
def test_headers_that_cannot_be_sent(opened: Any, declared: Any, values: Any, reason: str, words: str) -> None:
    with pytest.raises(StalledError) as caught:
        opened("http://127.0.0.1", request={"headersFrom": [declared]}, secrets={"api": values} if values else {})
    assert (caught.value.reason, caught.value.message) == (reason, words)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("server") / "server.pem")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("client") / "client.pem", address="127.0.0.9")


def parts(path: Path) -> tuple[str, str]:
    """Certificate and key."""
    key, mark, rest = path.read_text().partition("-----BEGIN CERTIFICATE-----")
    return mark + rest, key


def mutual(server: Path, client: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    context.load_verify_locations(client)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


TLS = {"authority": {"name": "ca"}, "clientCertificate": {"name": "pair"}}


def test_certificates_of_both_sides(serve: Any, read: Any, server: Path, client: Path) -> None:
    upstream = serve(in_turn(Reply([1])), mutual(server, client))
    certificate, key = parts(client)
    secrets = {"ca": {"ca.crt": parts(server)[0]}, "pair": {"tls.crt": certificate, "tls.key": key}}
    assert read(upstream.url, tls=TLS, secrets=secrets) == [1]


def test_without_the_client_certificate_or_the_authority(serve: Any, failure: Any, server: Path, client: Path) -> None:
    upstream = serve(in_turn(Reply([1])), mutual(server, client))
    certificate, key = parts(client)
    secrets = {"ca": {"ca.crt": parts(server)[0]}, "pair": {"tls.crt": certificate, "tls.key": key}}
    assert failure(upstream.url, tls={"authority": {"name": "ca"}}, secrets=secrets)[0].reason in ("TLSFailed", "ConnectionLost")
    error, _ = failure(upstream.url, tls={"clientCertificate": {"name": "pair"}}, secrets=secrets)
    assert (error.reason, upstream.asked) == ("TLSFailed", [])
    assert "spec.source.http.tls.authority" in error.message


def test_an_authority_takes_the_place_of_the_usual_ones(serve: Any, failure: Any, server: Path, client: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    error, _ = failure(
        serve(in_turn(Reply([1])), context).url, tls={"authority": {"name": "ca"}}, secrets={"ca": {"ca.crt": parts(client)[0]}}
    )
    assert error.reason == "TLSFailed"


@pytest.mark.parametrize(
    ("secrets", "reason", "words"),
    [
        ({"pair": {}}, "SecretNotFound", "Secret ca was not found; spec.source.http.tls.authority needs its ca.crt"),
        (
            {"ca": {"ca.crt": "x"}, "pair": {}},
            "SecretInvalid",
            "Secret ca: ca.crt holds no certificate in PEM (spec.source.http.tls.authority)",
        ),
        ({"ca": 0}, "SecretNotFound", "Secret pair was not found; spec.source.http.tls.clientCertificate needs its tls.crt and tls.key"),
        (
            {"ca": 0, "pair": {"tls.crt": "x", "tls.key": "y"}},
            "SecretInvalid",
            "Secret pair: tls.crt and tls.key are no certificate and its unencrypted key in PEM (spec.source.http.tls.clientCertificate)",
        ),
    ],
)
def test_certificates_that_are_none(opened: Any, server: Path, secrets: Any, reason: str, words: str) -> None:
    given = {name: value or {"ca.crt": parts(server)[0]} for name, value in secrets.items()}
    if "pair" in given and "pair" in secrets and not secrets["pair"]:
        del given["pair"]
    with pytest.raises(StalledError) as caught:
        opened("https://127.0.0.1", tls=TLS, secrets=given)
    assert (caught.value.reason, caught.value.message) == (reason, words)


PROXY_SECRET = {"proxy": {"username": "me", "password": "pr0xy-pass"}}


def test_a_proxy_is_asked_for_http(serve: Any, read: Any) -> None:
    proxy = serve(lambda asked: Reply([[asked.path, asked.headers.get("proxy-authorization"), asked.headers["host"]]]))
    declared = {"url": proxy.url, "secretRef": {"name": "proxy"}}
    expected = "Basic " + base64.b64encode(b"me:pr0xy-pass").decode()
    assert read("http://api.invalid/v1", proxy=declared, secrets=PROXY_SECRET) == [["/v1", expected, "api.invalid"]]
    assert read("http://api.invalid/v1", proxy={"url": proxy.url}) == [["/v1", None, "api.invalid"]]


@contextlib.contextmanager
def tunnel(answer: bytes, target: int | None = None) -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that answers the first CONNECT so, and then joins it with a port of this machine."""
    heads: list[bytes] = []

    def pump(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            heads.append(connection.recv(65536))
            connection.sendall(answer)
            if target is not None:
                with socket.create_connection(("127.0.0.1", target)) as inner:
                    threading.Thread(target=pump, args=(connection, inner), daemon=True).start()
                    pump(inner, connection)

    with listening() as (listener, url):
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield url, heads
        thread.join(5)


def test_a_tunnel_for_https_that_sees_no_credentials(serve: Any, opened: Any, server: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    upstream = serve(lambda asked: Reply([asked.headers["authorization"]]), context)
    secrets = {"ca": {"ca.crt": parts(server)[0]}, "api": {"token": "t0ken"}}
    with tunnel(b"HTTP/1.1 200 OK\r\n\r\n", upstream.port) as (url, heads):
        source = opened(upstream.url, proxy={"url": url}, tls={"authority": {"name": "ca"}}, auth={"bearer": REF}, secrets=secrets)
        (page,) = source.pages(Slice())
        source.close()
    assert page.records == ["Bearer t0ken"]
    assert heads[0].startswith(f"CONNECT 127.0.0.1:{upstream.port} HTTP/1.1\r\n".encode())
    assert b"t0ken" not in heads[0]


@pytest.mark.parametrize(
    ("answer", "reason", "words"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "ProxyRefused", "the proxy answered 407 Proxy Authentication Required; check spec.source.http.proxy"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "ProxyRefused", "the proxy answered 403 Forbidden"),
        (b"HTTP/1.1 502 Bad\x1b[1m Gateway pr0xy-pass\r\n\r\n", "ConnectionFailed", "the proxy answered 502 Bad [1m Gateway ***"),
        (b"HTTP/1.1 502 Bad Gateway pr0xy-pass\r\n\r\n", "ConnectionFailed", "the proxy answered 502 Bad Gateway ***"),
        (b"", "ConnectionLost", ""),
    ],
)  # fmt: skip
def test_a_proxy_that_does_not_connect(failure: Any, answer: bytes, reason: str, words: str) -> None:
    with tunnel(answer) as (url, _):
        error, _ = failure("https://api.invalid/", proxy={"url": url, "secretRef": {"name": "proxy"}}, secrets=PROXY_SECRET)
    assert error.reason == reason
    assert words in error.message
    assert "pr0xy-pass" not in error.message


def test_407_of_plain_http(serve: Any, failure: Any) -> None:
    error, _ = failure("http://api.invalid/", proxy={"url": serve(in_turn(Reply(b"pr0xy-pass", status=407))).url}, secrets=PROXY_SECRET)
    assert (error.reason, error.message) == (
        "ProxyRefused",
        "GET http://api.invalid/: the proxy answered 407; check spec.source.http.proxy",
    )


METADATA = [
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "[::ffff:a9fe:a9fe]",
    "[fe80::1]",
    "metadata.google.internal",
    "METADATA.google.internal.",
]


@pytest.mark.parametrize("host", METADATA)
def test_a_proxy_is_not_asked_for_cloud_metadata(serve: Any, failure: Any, opened: Any, cancelled: Any, host: str) -> None:
    proxy = serve(in_turn(Reply([1])))
    error, _ = failure(f"http://{host}/latest", proxy={"url": proxy.url})
    assert (error.reason, proxy.asked) == ("AddressRefused", [])
    assert error.message.endswith("name another host, or start the operator with --allow-link-local")
    allowed = opened(f"http://{host}/latest", proxy={"url": proxy.url}, hosts=local_hosts(cancelled, link_local=True))
    assert [page.records for page in allowed.pages(Slice())] == [[1]]


@pytest.mark.parametrize("where", ["proxy", "tokenURL", "loginURL"])
def test_neither_a_proxy_nor_a_token_endpoint_is_at_such_an_address(failure: Any, where: str) -> None:
    url, secrets = "http://169.254.169.254/x", {"api": {"clientID": "a", "clientSecret": "b", "username": "c", "password": "d"}}
    options: dict[str, Any] = {
        "proxy": {"proxy": {"url": url}},
        "tokenURL": {"auth": {"oauth2": {**REF, "tokenURL": url}}},
        "loginURL": {"auth": {"session": {**REF, "loginURL": url}}},
    }[where]
    error, _ = failure("http://127.0.0.1:9/", secrets=secrets, **options)
    assert error.reason == "AddressRefused"


def test_a_handshake_that_does_not_come_about_in_time(failure: Any) -> None:
    with listening() as (_, url):
        error, _ = failure(url.replace("http:", "https:"), connectTimeout="200ms", timeout="1m")
    assert error.reason == "Timeout"
    assert ": no connection within 200ms (spec.source.http.connectTimeout)" in error.message


@pytest.mark.parametrize("begun", [(), (b"[1,",)])
def test_silence_in_an_answer(serve: Any, failure: Any, begun: tuple[bytes, ...]) -> None:
    upstream = serve(lambda _: Reply(hanging(upstream, *begun), length=1000))
    error, _ = failure(upstream.url, readTimeout="200ms", timeout="1m")
    assert error.reason == "Timeout"
    assert ": nothing came for 200ms (spec.source.http.readTimeout)" in error.message


def test_a_slow_answer_is_no_silence(serve: Any, read: Any) -> None:
    def slow(_: Asked) -> Reply:
        pause = threading.Event()

        def pieces() -> Iterator[bytes]:
            for piece in (b"[1", b",2", b",3]"):
                pause.wait(0.15)
                yield piece

        return Reply(pieces(), length=7)

    assert read(serve(slow).url, readTimeout="400ms") == [1, 2, 3]
