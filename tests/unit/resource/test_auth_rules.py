"""What a manifest may say of authentication, certificates and proxies, and how it is told what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from syncsource.resource.auth import Auth
from syncsource.resource.http import HttpSource
from syncsource.resource.validation import problems

REF = {"secretRef": {"name": "api"}}
OAUTH2 = {**REF, "tokenURL": "https://login.example/token"}
HMAC = {**REF, "sign": "{{ method }}{{path}}", "header": "X-Signature"}


def found(**http: Any) -> list[str]:
    spec = {
        "source": {"http": {"baseURL": "https://api.example/v1", **http}},
        "fields": [{"name": "id", "type": "text"}],
        "keys": [{"fields": ["id"]}],
        "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "t"}},
    }
    manifest = {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncSource", "metadata": {"name": "a"}, "spec": spec}
    return [str(problem).removeprefix("spec.source.http.") for problem in problems(manifest)]


@pytest.mark.parametrize(
    "http",
    [
        {"auth": {"apiKey": {**REF, "cookie": "session"}}},
        {"auth": {"apiKey": {**REF, "header": "X-Key", "prefix": "Token "}}},
        {"auth": {"oauth2": OAUTH2}},
        {"auth": {"oauth2": {**OAUTH2, "grant": "RefreshToken", "clientAuth": "None", "scopes": ["a:b", "https://x/y"]}}},
        {"auth": {"jwt": {**REF, "algorithm": "ES256", "encrypted": True, "claims": {"a": 1, "b": "x"}}}},
        {"auth": {"jwt": {**REF, "algorithm": "HS256", "secretEncoding": "Base64", "exchange": {"tokenURL": "http://127.0.0.1:1/t"}}}},
        {"auth": {"session": {**REF, "loginURL": "https://api.example/login", "sendAs": "Form"}}},
        {"auth": {"hmac": HMAC}},
        {"auth": {"hmac": {**HMAC, "sign": "{a}{{ timestamp }}.{{ body }}\n{{ bodyHash }}", "timestamp": {"header": "X-Time"}}}},
        {"auth": {"hmac": {**HMAC, "sign": "{{nonce}}", "nonceHeader": "X-Nonce"}}},
        {"tls": {"authority": {"name": "ca"}}},
        {"tls": {"clientCertificate": {"name": "pair"}}, "proxy": {"url": "http://proxy:3128", **REF}},
        {"request": {"headersFrom": [{"name": "X-A", "secretKeyRef": {"name": "a", "key": "b"}}]}},
        {"connectTimeout": "2s", "readTimeout": "500ms"},
    ],
    ids=str,
)
def test_what_may_be_said(http: Any) -> None:
    assert found(**http) == []


@pytest.mark.parametrize(
    ("http", "words"),
    [
        (
            {"auth": {"oauth2": OAUTH2, "basic": REF}},
            "auth: Invalid value: exactly one of basic, bearer, apiKey, oauth2, jwt, session, hmac must be set",
        ),
        (
            {"auth": {"apiKey": {**REF, "query": "k", "cookie": "c"}}},
            "auth.apiKey: Invalid value: exactly one of header, query and cookie must be set",
        ),
        ({"auth": {"apiKey": {**REF, "query": "k", "prefix": "x"}}}, "auth.apiKey: Invalid value: prefix is only for header"),
        ({"auth": {"oauth2": REF}}, "auth.oauth2.tokenURL: Required value"),
        ({"auth": {"oauth2": {**OAUTH2, "tokenURL": "https://u:p@h/"}}}, "auth.oauth2.tokenURL: Invalid value: "),
        ({"auth": {"oauth2": {**OAUTH2, "tokenURL": "file:///etc/passwd"}}}, "auth.oauth2.tokenURL: Invalid value: "),
        (
            {"auth": {"oauth2": {**OAUTH2, "clientAuth": "None"}}},
            "auth.oauth2: Invalid value: grant ClientCredentials needs clientAuth Header or Body",
        ),
        ({"auth": {"oauth2": {**OAUTH2, "scopes": ["a b"]}}}, "auth.oauth2.scopes[0]: Invalid value: "),
        ({"auth": {"oauth2": {**OAUTH2, "tokenPath": "a["}}}, "auth.oauth2.tokenPath: 'a[' is not a JMESPath expression"),
        ({"auth": {"oauth2": {**OAUTH2, "prefix": "a\nb"}}}, "auth.oauth2.prefix: Invalid value: "),
        ({"auth": {"jwt": {**REF, "algorithm": "none"}}}, "auth.jwt.algorithm: Unsupported value"),
        ({"auth": {"jwt": {**REF, "algorithm": "HS256", "encrypted": True}}}, "auth.jwt: Invalid value: encrypted is for private keys"),
        (
            {"auth": {"jwt": {**REF, "algorithm": "RS256", "secretEncoding": "Base64"}}},
            "auth.jwt: Invalid value: secretEncoding is for algorithm HS",
        ),
        (
            {"auth": {"jwt": {**REF, "algorithm": "RS256", "lifetime": "0s"}}},
            'auth.jwt.lifetime: Invalid value: "0s": must be longer than 0s',
        ),
        ({"auth": {"hmac": {**HMAC, "sign": "{{ secret }}"}}}, "auth.hmac.sign: Invalid value: "),
        ({"auth": {"hmac": {**HMAC, "sign": "{{ timestamp }}"}}}, "auth.hmac: Invalid value: timestamp must be set where sign names it"),
        ({"auth": {"hmac": {**HMAC, "sign": "{{nonce}}"}}}, "auth.hmac: Invalid value: nonceHeader must be set where sign names nonce"),
        ({"tls": {}}, "tls: Invalid value: at least one of clientCertificate and authority must be set"),
        ({"proxy": {"url": "socks5://h"}}, "proxy.url: Invalid value: "),
        ({"request": {"headersFrom": [{"name": "X-A"}]}}, "request.headersFrom[0].secretKeyRef: Required value"),
        ({"connectTimeout": "0s"}, 'connectTimeout: Invalid value: "0s": must be longer than 0s'),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong(http: Any, words: str) -> None:
    told = found(**http)
    assert any(one.startswith(words) for one in told), told


def test_every_secret_that_is_needed_is_named_with_its_field() -> None:
    http = HttpSource.model_validate(
        {
            "baseURL": "https://h",
            "auth": {"oauth2": {**OAUTH2, "grant": "Password"}},
            "request": {"headersFrom": [{"name": "X-A", "secretKeyRef": {"name": "tenant", "key": "id"}}]},
            "tls": {"authority": {"name": "ca"}, "clientCertificate": {"name": "pair"}},
            "proxy": {"url": "http://p", "secretRef": {"name": "proxy"}},
        }
    )
    assert {pair: http.asking(*pair) for pair in http.secret_keys} == {
        ("api", "clientID"): "auth",
        ("api", "clientSecret"): "auth",
        ("api", "username"): "auth",
        ("api", "password"): "auth",
        ("tenant", "id"): "request.headersFrom",
        ("pair", "tls.crt"): "tls",
        ("pair", "tls.key"): "tls",
        ("ca", "ca.crt"): "tls",
        ("proxy", "username"): "proxy",
        ("proxy", "password"): "proxy",
    }


def test_the_examples_of_the_page_about_it_may_be_said() -> None:
    page = (Path(__file__).parents[3] / "docs" / "authentication.md").read_text()
    blocks = [yaml.safe_load(block.partition("```")[0]) for block in page.split("```yaml\n")[1:]]
    assert len(blocks) == 4
    assert [found(**block) for block in blocks] == [[]] * 4


def test_every_kind_is_on_the_page_about_it() -> None:
    page = (Path(__file__).parents[3] / "docs" / "authentication.md").read_text()
    kinds = [field.alias or name for name, field in Auth.model_fields.items()]
    assert [kind for kind in kinds if f"| `{kind}` |" not in page] == []
