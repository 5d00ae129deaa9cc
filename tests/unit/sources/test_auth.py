"""Credentials: what is sent, what is missing, and what never shows."""

from __future__ import annotations

import base64
import logging
import urllib.parse
from typing import Any

import pytest

from syncsource.errors import StalledError
from tests.upstream import Asked, Reply, in_turn

REF = {"secretRef": {"name": "api"}}
BASIC, BEARER = {"basic": REF}, {"bearer": REF}
HEADER, QUERY = {"apiKey": {**REF, "header": "X-API-Key"}}, {"apiKey": {**REF, "query": "api key"}}
USER = {"username": "jané", "password": "p:w é "}
TOKEN, KEY = {"token": "t0k.en=="}, {"apiKey": "k&y+/é"}


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("auth", "secret", "sent"),
    [
        (BASIC, USER, {"authorization": basic("jané", "p:w é ")}),
        (BASIC, {"username": "u\n", "password": "p\r\n"}, {"authorization": basic("u", "p")}),
        (BEARER, TOKEN, {"authorization": "Bearer t0k.en=="}),
        (BEARER, {"token": " t\n"}, {"authorization": "Bearer t"}),
        (HEADER, {"apiKey": "k1\n"}, {"x-api-key": "k1"}),
    ],
)
def test_in_a_header(serve: Any, read: Any, auth: Any, secret: Any, sent: dict[str, str]) -> None:
    upstream = serve(in_turn(Reply([])))
    read(upstream.url, auth=auth, secrets={"api": secret}, request={"headers": {"AUTHORIZATION": "mine", "x-api-key": "mine"}})
    assert upstream.asked[0].headers.items() >= sent.items()


def test_in_the_query_of_every_page_even_where_a_link_has_it_not(serve: Any, read: Any) -> None:
    next_ = {"/1": "/2?t=%2Ba+b&flag", "/2": "/3?api+key=wrong&t=c", "/3": "/4?t=d&api%20key=k%26y%2B%2F%C3%A9"}
    upstream = serve(lambda asked: Reply({"r": [asked.path], "next": next_.get(asked.path)}))
    options = {"auth": QUERY, "secrets": {"api": KEY}, "records": "r", "pagination": {"nextURL": {}}}
    assert read(upstream.url, request={"path": "1"}, **options) == ["/1", "/2", "/3", "/4"]
    key = KEY["apiKey"]
    assert [asked.query for asked in upstream.asked] == [
        {"api key": key},
        {"t": "+a b", "flag": "", "api key": key},
        {"t": "c", "api key": key},
        {"t": "d", "api key": key},
    ]


@pytest.mark.parametrize(
    ("auth", "secrets", "message"),
    [
        (BASIC, {}, "Secret api was not found; spec.source.http.auth.basic needs its username and password"),
        (BEARER, {"other": TOKEN}, "Secret api was not found; spec.source.http.auth.bearer needs its token"),
        (BASIC, {"api": {"password": "p"}}, "Secret api lacks username; spec.source.http.auth.basic needs its username and password"),
        (
            BASIC,
            {"api": {"username": "", "password": "\n"}},
            "Secret api lacks username and password; spec.source.http.auth.basic needs its username and password",
        ),
        (HEADER, {"api": TOKEN}, "Secret api lacks apiKey; spec.source.http.auth.apiKey needs its apiKey"),
    ],
)
def test_what_is_missing(opened: Any, auth: Any, secrets: Any, message: str) -> None:
    with pytest.raises(StalledError) as caught:
        opened("http://127.0.0.1", auth=auth, secrets=secrets)
    assert (caught.value.reason, caught.value.message) == ("SecretNotFound", message)


@pytest.mark.parametrize(
    ("auth", "secret", "message"),
    [
        (BASIC, {"username": "a:b", "password": "p"}, "Secret api: username must not contain a colon (RFC 7617)"),
        (BEARER, {"token": "a\nb"}, "Secret api can't be sent in a header: it holds a line break or is not ASCII"),
        (HEADER, {"apiKey": "é"}, "Secret api can't be sent in a header: it holds a line break or is not ASCII"),
    ],
)
def test_what_cannot_be_sent(opened: Any, auth: Any, secret: Any, message: str) -> None:
    with pytest.raises(StalledError) as caught:
        opened("http://127.0.0.1", auth=auth, secrets={"api": secret})
    assert (caught.value.reason, caught.value.message) == ("SecretInvalid", message)


def test_a_header_name_that_is_none(opened: Any) -> None:
    with pytest.raises(StalledError) as caught:
        opened("http://127.0.0.1", auth={"apiKey": {**REF, "header": "X Key"}}, secrets={"api": KEY})
    assert (caught.value.reason, caught.value.message) == (
        "InvalidSpec",
        "spec.source.http.auth.apiKey.header: 'X Key' is not a header's name",
    )


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials(failing: Any, status: int) -> None:
    script = in_turn(Reply({"message": "t0k.en== is wrong"}, status=status))
    assert failing(script, auth=BEARER, secrets={"api": TOKEN}) == (
        "PermanentError",
        "AuthFailed",
        f"GET URL/x answered {status}: check the credentials in Secret api (spec.source.http.auth) and what they permit",
    )
    assert failing(script) == (
        "PermanentError",
        "AuthFailed",
        f"GET URL/x answered {status}: it wants credentials; set spec.source.http.auth",
    )


def echo(asked: Asked) -> Reply:
    """Everything that was sent, in the forms in which servers show it."""
    sent = f"{asked.headers.get('authorization')} {asked.headers.get('x-api-key')} {asked.query}"
    return Reply(f"{sent} {urllib.parse.quote(sent)} {urllib.parse.quote(sent).lower()} {sent * 90}".encode(), status=400)


@pytest.mark.parametrize(
    ("auth", "secret"), [(BASIC, USER), (BEARER, TOKEN), (HEADER, {"apiKey": 'k"<1>&'}), (QUERY, KEY), (QUERY, {"apiKey": "K" * 3000})]
)
def test_no_secret_in_a_message_or_a_log(failing: Any, caplog: pytest.LogCaptureFixture, auth: Any, secret: dict[str, str]) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = {"api": secret, "db": {"url": "postgresql://u:dbpass@h/d"}}
    messages = [failing(echo, auth=auth, secrets=secrets)[2]]
    for status in (200, 302, 404, 500, 503):
        headers = {"Location": "http://h/?k=" + urllib.parse.quote(next(iter(secret.values())), safe=""), "Retry-After": "999"}

        def reply(asked: Asked, status: int = status, headers: dict[str, str] = headers) -> Reply:
            return Reply(echo(asked).body, status=status, headers=headers)

        messages.append(failing(reply, auth=auth, secrets=secrets)[2])
    text = "\n".join(messages) + caplog.text
    for value in secret.values():
        for form in (
            value.strip(),
            urllib.parse.quote(value.strip(), safe=""),
            base64.b64encode(value.encode()).decode(),
            value.strip()[:40],
        ):
            assert form not in text
    assert "***" in text or auth == QUERY
    assert basic(*USER.values()).split()[1] not in text


def test_the_key_in_the_query_is_hidden(failing: Any) -> None:
    assert failing(in_turn(Reply(status=404)), auth=QUERY, secrets={"api": KEY}, request={"path": "/x", "query": {"a": "b"}})[2] == (
        "GET URL/x?a=b&api+key=*** answered 404; check spec.source.http.baseURL and spec.source.http.request.path"
    )


def test_values_of_other_secrets_stay_in_the_url_but_not_in_quotes(failing: Any) -> None:
    secrets = {"api": TOKEN, "db": {"name": "orders", "url": "postgresql://u:p@h/orders"}}
    script = in_turn(Reply(b"no orders in postgresql://u:p@h/orders, t0k.en==", status=400))
    assert (
        failing(script, auth=BEARER, secrets=secrets, request={"path": "/orders"})[2] == "GET URL/orders answered 400: no *** in ***, ***"
    )


def test_a_token_that_a_link_repeats_is_hidden(serve: Any, failure: Any) -> None:
    upstream = serve(lambda asked: Reply(status=404) if asked.query else Reply([1], headers={"Link": "</x?token=t0k.en%3D%3D>; rel=next"}))
    error, _ = failure(upstream.url, auth=BEARER, secrets={"api": TOKEN}, pagination={"link": {}})
    assert error.message.startswith(f"GET {upstream.url}/x?token=*** answered 404")
