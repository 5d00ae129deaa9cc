"""Tokens that an endpoint gives: how they are asked for, shared, renewed, and what is wrong with an answer."""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest

from syncsource.errors import StalledError
from syncsource.sources import HostTable, Slice, local_hosts
from syncsource.sources.hosts.guest import Token
from tests.upstream import Asked, Reply, Upstream, hanging, in_turn

SECRETS = {
    "api": {"clientID": "cl:ient", "clientSecret": "s3cret&é/", "refreshToken": "r-1", "username": "somebody", "password": "pässword"}
}
REF = {"secretRef": {"name": "api"}}


def form(asked: Asked) -> dict[str, str]:
    return dict(parse_qsl(asked.body.decode()))


@pytest.fixture
def guarded(serve: Any) -> Callable[..., tuple[Upstream, Upstream]]:
    """A token endpoint with these answers, and an API that takes the last token that it gave."""

    def guarded_(*answers: Any) -> tuple[Upstream, Upstream]:
        replies = in_turn(*(answer if isinstance(answer, Reply) else Reply(answer) for answer in answers))
        endpoint = serve(replies)
        api = serve(lambda asked: Reply([asked.headers.get("authorization", "")]))
        return endpoint, api

    return guarded_


def oauth2(endpoint: Upstream, **more: Any) -> dict[str, Any]:
    return {"oauth2": {**REF, "tokenURL": f"{endpoint.url}/token?x=1", **more}}


BASIC = "Basic " + base64.b64encode(b"cl%3Aient:s3cret%26%C3%A9%2F").decode()


@pytest.mark.parametrize(
    ("declared", "sent", "header"),
    [
        ({}, {"grant_type": "client_credentials"}, BASIC),
        (
            {"clientAuth": "Body", "scopes": ["a:read", "b"], "audience": "https://api", "parameters": {"resource": "r"}},
            {
                "grant_type": "client_credentials",
                "client_id": "cl:ient",
                "client_secret": "s3cret&é/",
                "scope": "a:read b",
                "audience": "https://api",
                "resource": "r",
            },
            None,
        ),
        ({"grant": "RefreshToken"}, {"grant_type": "refresh_token", "refresh_token": "r-1"}, BASIC),
        (
            {"grant": "RefreshToken", "clientAuth": "None"},
            {"grant_type": "refresh_token", "refresh_token": "r-1", "client_id": "cl:ient"},
            None,
        ),
        ({"grant": "Password"}, {"grant_type": "password", "username": "somebody", "password": "pässword"}, BASIC),
    ],
    ids=["header", "body", "refresh", "public", "password"],
)
def test_oauth2_end_to_end(guarded: Any, read: Any, declared: Any, sent: Any, header: str | None) -> None:
    endpoint, api = guarded({"access_token": "t-1", "token_type": "Bearer", "expires_in": 3600})
    assert read(api.url, auth=oauth2(endpoint, **declared), secrets=SECRETS) == ["Bearer t-1"]
    (asked,) = endpoint.asked
    assert (asked.method, asked.target, form(asked)) == ("POST", "/token?x=1", sent)
    assert (asked.headers.get("authorization"), asked.headers["content-type"]) == (header, "application/x-www-form-urlencoded")


def test_header_and_prefix_and_paths(guarded: Any, serve: Any, read: Any) -> None:
    endpoint, _ = guarded({"data": {"t": "t-1", "life": "60"}})
    api = serve(lambda asked: Reply([asked.headers["x-token"]]))
    declared = {"header": "X-Token", "prefix": "Zoho ", "tokenPath": "data.t", "expiresPath": "data.life"}
    assert read(api.url, auth=oauth2(endpoint, **declared), secrets=SECRETS) == ["Zoho t-1"]


@pytest.mark.parametrize("send_as", ["JSON", "Form", "Basic"])
def test_session_end_to_end(guarded: Any, serve: Any, read: Any, send_as: str) -> None:
    endpoint, _ = guarded({"token": "t-1"})
    api = serve(lambda asked: Reply([asked.headers["x-session"]]))
    auth = {
        "session": {
            **REF,
            "loginURL": f"{endpoint.url}/login",
            "sendAs": send_as,
            "usernameField": "login",
            "parameters": {"app": "x"},
            "header": "X-Session",
            "prefix": "",
        }
    }
    assert read(api.url, auth=auth, secrets=SECRETS) == ["t-1"]
    (asked,) = endpoint.asked
    sent = json.loads(asked.body) if send_as == "JSON" else form(asked)
    assert sent == ({"app": "x"} if send_as == "Basic" else {"app": "x", "login": "somebody", "password": "pässword"})
    assert ("authorization" in asked.headers) is (send_as == "Basic")


def test_one_token_serves_all_pages_and_all_runs(guarded: Any, serve: Any, opened: Any, cancelled: Any) -> None:
    endpoint, _ = guarded({"access_token": "t-1", "expires_in": 3600})
    api = serve(lambda asked: Reply([asked.query["page"]] if asked.query["page"] < "4" else []))
    table = HostTable()
    for _ in range(3):
        source = opened(api.url, auth=oauth2(endpoint), secrets=SECRETS, pagination={"page": {}}, hosts=local_hosts(cancelled, table))
        assert sum(len(page.records) for page in source.pages(Slice())) == 3
    assert len(endpoint.asked) == 1


def test_many_runs_at_once_fetch_one_token(guarded: Any, cancelled: Any) -> None:
    table, fetched, got = HostTable(), [], []
    begun, go_on = threading.Event(), threading.Event()

    def fetch(_: str | None) -> Token:
        fetched.append(1)
        begun.set()
        go_on.wait(10)
        return Token("t-1", 3600)

    def run() -> None:
        got.append(local_hosts(cancelled, table).token("k", 10.0, fetch))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go_on.set()
    for thread in threads:
        thread.join()
    assert (len(fetched), got) == (1, ["t-1"] * 8)


def test_after_401_the_token_is_renewed_once(guarded: Any, serve: Any, read: Any) -> None:
    endpoint, _ = guarded({"access_token": "old", "expires_in": 3600}, {"access_token": "new", "expires_in": 3600})
    api = serve(lambda asked: Reply([1]) if asked.headers["authorization"] == "Bearer new" else Reply(status=401))
    assert read(api.url, auth=oauth2(endpoint), secrets=SECRETS) == [1]
    assert [asked.headers["authorization"] for asked in api.asked] == ["Bearer old", "Bearer new"]


def test_a_second_401_is_told(guarded: Any, serve: Any, failure: Any) -> None:
    endpoint, _ = guarded({"access_token": "a", "expires_in": 3600}, {"access_token": "b", "expires_in": 3600})
    api = serve(in_turn(Reply(status=401)))
    error, _ = failure(api.url, auth=oauth2(endpoint), secrets=SECRETS)
    assert (error.reason, len(api.asked), len(endpoint.asked)) == ("AuthFailed", 2, 2)
    assert error.message.endswith("answered 401: check the credentials in Secret api (spec.source.http.auth) and what they permit")


def test_a_refresh_token_that_is_replaced_is_used_from_then_on(guarded: Any, serve: Any, read: Any) -> None:
    endpoint, _ = guarded({"access_token": "a", "refresh_token": "r-2"}, {"access_token": "b"})
    api = serve(in_turn(Reply(status=401), Reply([1])))
    assert read(api.url, auth=oauth2(endpoint, grant="RefreshToken"), secrets=SECRETS) == [1]
    assert [form(asked)["refresh_token"] for asked in endpoint.asked] == ["r-1", "r-2"]


@pytest.mark.parametrize("seconds", [3600, "3600", 1e400, 10**30, 59.5], ids=str)
def test_lives_that_are_understood(guarded: Any, read: Any, seconds: Any) -> None:
    body = json.dumps({"access_token": "t-1", "expires_in": seconds}).replace("Infinity", "1e400").encode()
    endpoint, api = guarded(Reply(body))
    assert read(api.url, auth=oauth2(endpoint), secrets=SECRETS) == ["Bearer t-1"]


WRONG = [
    (Reply(b"<html>Log in</html>", headers={"Content-Type": "text/html"}), "TokenUnusable", "answered 200 with text/html, which is not JSON; check spec.source.http.auth.oauth2.tokenURL"),
    (Reply(b""), "TokenUnusable", "which is not JSON"),
    (Reply([]), "TokenUnusable", "answered without a token at 'access_token'; check spec.source.http.auth.oauth2.tokenPath"),
    (Reply({"token": "x"}), "TokenUnusable", "answered without a token at 'access_token'"),
    (Reply({"access_token": ""}), "TokenUnusable", "answered without a token"),
    (Reply({"access_token": 7}), "TokenUnusable", "answered without a token"),
    (Reply({"access_token": "a\r\nX-Evil: 1"}), "TokenUnusable", "answered with a token that can't be sent in a header"),
    (Reply({"access_token": "t" * 20_000}), "TokenUnusable", "answered with a token that can't be sent in a header"),
    (Reply({"access_token": "t", "expires_in": -1}), "TokenUnusable", "expires in '-1', which is not a number of seconds above 0; check spec.source.http.auth.oauth2.expiresPath"),
    (Reply({"access_token": "t", "expires_in": 0}), "TokenUnusable", "expires in '0'"),
    (Reply({"access_token": "t", "expires_in": "soon"}), "TokenUnusable", "expires in 'soon'"),
    (Reply({"access_token": "t", "expires_in": True}), "TokenUnusable", "expires in 'True'"),
    (Reply({"access_token": "t", "expires_in": [1]}), "TokenUnusable", "expires in '[1]'"),
    (
        Reply({"error": "invalid_client", "error_description": "s3cret&é/ is wrong\x1b[31m"}, status=400),
        "AuthFailed",
        "answered 400, invalid_client: *** is wrong [31m; check Secret api and spec.source.http.auth.oauth2",
    ),
    (Reply(b"<p>s3cret&amp;", status=401), "AuthFailed", "answered 401; check Secret api and spec.source.http.auth.oauth2"),
    (Reply({"error": "<script>"}, status=403), "AuthFailed", "answered 403; check Secret api"),
    (Reply(status=404), "NotFound", "answered 404; check spec.source.http.auth.oauth2.tokenURL"),
    (Reply(status=503), "UpstreamUnavailable", "answered 503"),
    (Reply(status=429, headers={"Retry-After": "7"}), "RateLimited", "answered 429"),
    (Reply(status=302, headers={"Location": "http://other.example/"}), "REDIRECT", "redirect"),
    (Reply(b" " * 2_000_000), "AnswerTooLarge", "larger than 1,048,576 bytes"),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "reason", "words"), WRONG)
def test_what_is_wrong_with_a_token_endpoint(
    guarded: Any, failure: Any, caplog: pytest.LogCaptureFixture, reply: Reply, reason: str, words: str
) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint, api = guarded(reply)
    error, pages = failure(api.url, auth=oauth2(endpoint), secrets=SECRETS)
    assert (error.reason, pages, api.asked) == ("RedirectRefused" if reason == "REDIRECT" else reason, [], [])
    assert error.message.startswith(f"POST {endpoint.url}/token?x=1")
    assert words in error.message
    assert "s3cret" not in error.message + caplog.text


def test_a_token_endpoint_that_is_silent(serve: Any, failure: Any) -> None:
    endpoint = serve(lambda _: Reply(hanging(endpoint, b"{"), length=100))
    error, _ = failure("http://127.0.0.1:9", auth=oauth2(endpoint), secrets=SECRETS, timeout="300ms")
    assert error.reason == "Timeout"
    assert error.message.startswith(f"POST {endpoint.url}/token?x=1: no complete answer within 300ms (spec.source.http.timeout)")


def test_tokens_are_hidden_in_all_their_forms(guarded: Any, serve: Any, failure: Any) -> None:
    token = "t0k.en+/=="
    endpoint, _ = guarded({"access_token": token, "refresh_token": "r-new-1"})
    shown = f"{token} t0k.en%2B%2F%3D%3D r-new-1 {base64.b64encode(token.encode()).decode()}"
    api = serve(in_turn(Reply(shown.encode(), status=400)))
    error, _ = failure(api.url, auth=oauth2(endpoint), secrets=SECRETS)
    assert error.message == f"GET {api.url} answered 400: *** *** *** ***"


@pytest.mark.parametrize(
    ("declared", "keys"),
    [
        ({}, "clientSecret"),
        ({"grant": "RefreshToken"}, "clientSecret and refreshToken"),
        ({"grant": "Password"}, "clientSecret and username and password"),
    ],
)
def test_what_a_secret_lacks(opened: Any, serve: Any, declared: Any, keys: str) -> None:
    endpoint = serve(in_turn(Reply()))
    with pytest.raises(StalledError) as caught:
        opened(endpoint.url, auth=oauth2(endpoint, **declared), secrets={"api": {"clientID": "x"}})
    assert (caught.value.reason, caught.value.message.partition(";")[0]) == ("SecretNotFound", f"Secret api lacks {keys}")
