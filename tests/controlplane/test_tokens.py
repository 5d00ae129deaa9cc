"""Tokens of service accounts: issued, accepted, and refused when they are forged, late or orphaned."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from syncsource.localplane.access.tokens import ISSUER, Signer

REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


def whoami(http: httpx.Client) -> dict[str, Any]:
    return http.post(WHOAMI, json={}).json()["status"]["userInfo"]


def request_token(http: httpx.Client, account, **spec: Any) -> httpx.Response:
    return http.post(f"/api/v1/namespaces/{account.namespace}/serviceaccounts/{account.name}/token", json={"spec": spec})


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def code_for(server, token: str) -> int:
    return server.client(headers={"Authorization": f"Bearer {token}"}).post(WHOAMI, json={}).status_code


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def signed(folder: Path, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token of any header, with a signature that is right."""
    key = serialization.load_pem_private_key((folder / "service-accounts.key").read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    text = f"{part(header)}.{part(claims)}"
    halves = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{base64.urlsafe_b64encode(b''.join(half.to_bytes(32) for half in halves)).rstrip(b'=').decode()}"


# -- issuing


def test_a_token_names_its_account(account) -> None:
    found = whoami(account.http)
    assert (found["username"], found["uid"]) == (account.user, account.uid)
    assert found["groups"] == ["system:serviceaccounts", f"system:serviceaccounts:{account.namespace}", "system:authenticated"]
    claims = claims_of(account.token)
    assert claims["kubernetes.io"] == {
        "namespace": account.namespace,
        "serviceaccount": {"name": account.name, "uid": account.uid},
    }
    assert claims["exp"] - claims["iat"] == 3600


def test_the_administrator_is_a_master(http) -> None:
    assert whoami(http) == {"username": "syncsource:admin", "groups": ["system:masters", "system:authenticated"]}


def test_a_token_lives_as_long_as_was_asked(http, account) -> None:
    issued = request_token(http, account, expirationSeconds=600).json()
    claims = claims_of(issued["status"]["token"])
    assert claims["exp"] - claims["iat"] == issued["spec"]["expirationSeconds"] == 600
    assert issued["status"]["expirationTimestamp"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(claims["exp"]))


@pytest.mark.parametrize(
    ("spec", "code", "message"),
    [
        (
            {"expirationSeconds": 599},
            422,
            'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
        ),
        ({"expirationSeconds": 2**32 + 1}, 422, "may not specify a duration larger than 2^32 seconds"),
        ({"expirationSeconds": "600"}, 422, "spec.expirationSeconds"),
        ({"audiences": [1]}, 422, "spec.audiences[0]"),
        ({"audiences": "me"}, 422, "spec.audiences"),
        ({"boundObjectRef": {"kind": "Pod", "name": "p"}}, 400, "spec.boundObjectRef is not served"),
    ],
)
def test_bad_requests_for_tokens_are_refused(http, account, spec, code, message) -> None:
    refused = request_token(http, account, **spec)
    assert refused.status_code == code
    assert message in refused.json()["message"]


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"null", b'{"spec": 1}', b'{"kind": "Pod"}', b'{"apiVersion": "v1"}'])
def test_what_is_no_token_request_is_refused(http, account, body) -> None:
    path = f"/api/v1/namespaces/{account.namespace}/serviceaccounts/{account.name}/token"
    assert http.post(path, content=body).status_code in (400, 422)


def test_no_token_for_no_account(http) -> None:
    refused = http.post("/api/v1/namespaces/default/serviceaccounts/nobody/token", json={})
    assert (refused.status_code, refused.json()["message"]) == (404, 'serviceaccounts "nobody" not found')
    assert http.get("/api/v1/namespaces/default/serviceaccounts/default/token").status_code == 405


# -- refusing


def forged(server, **changes: Any) -> dict[str, Any]:
    """Claims that would be accepted for the account `default`, and changes of them."""
    account = server.client().get("/api/v1/namespaces/default/serviceaccounts/default").json()["metadata"]
    bound = {"namespace": "default", "serviceaccount": {"name": "default", "uid": account["uid"]}}
    now = int(time.time())
    claims = {"aud": [ISSUER], "exp": now + 60, "iat": now, "nbf": now, "iss": ISSUER, "jti": "1", "kubernetes.io": bound}
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}


def test_the_right_key_and_claims_are_accepted(server) -> None:
    assert code_for(server, signed(server.folder, {"alg": "ES256"}, forged(server))) == 201
    assert code_for(server, Signer(server.folder).sign(forged(server))) == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1}, {"exp": "tomorrow"}, {"exp": None}, {"nbf": 2**40}, {"nbf": None},
        {"iss": "https://elsewhere"}, {"iss": None}, {"aud": ["elsewhere"]}, {"aud": []}, {"aud": None}, {"aud": 1}, {"jti": None},
        {"kubernetes.io": None}, {"kubernetes.io": []}, {"kubernetes.io": {"namespace": "default", "serviceaccount": "default"}},
        {"kubernetes.io": {"namespace": "default", "serviceaccount": {"name": "default", "uid": "another"}}},
        {"kubernetes.io": {"namespace": "default", "serviceaccount": {"name": "nobody", "uid": "1"}}},
        {"kubernetes.io": {"namespace": ["x"], "serviceaccount": {"name": {}, "uid": 1}}},
    ],
    ids=str,
)  # fmt: skip
def test_claims_that_are_wrong_are_refused(server, changes) -> None:
    assert code_for(server, Signer(server.folder).sign(forged(server, **changes))) == 401


def test_a_token_that_has_just_expired_is_refused(server) -> None:
    assert code_for(server, Signer(server.folder).sign(forged(server, exp=int(time.time())))) == 401


def test_another_key_is_refused(server, tmp_path) -> None:
    assert code_for(server, Signer(tmp_path).sign(forged(server))) == 401


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS256", "ES384", "", None])
def test_another_algorithm_is_refused(server, algorithm) -> None:
    claims, header = forged(server), {"alg": algorithm, "typ": "JWT"}
    assert code_for(server, signed(server.folder, header, claims)) == 401
    unsigned = f"{part(header)}.{part(claims)}."
    assert [code_for(server, token) for token in (unsigned, unsigned + "AA", unsigned[:-1])] == [401] * 3


def test_a_token_that_was_touched_is_refused(server, account) -> None:
    header, claims, signature = account.token.split(".")
    other = part({**claims_of(account.token), "sub": "system:serviceaccount:kube-system:default", "exp": 2**40})
    for token in (f"{header}.{other}.{signature}", f"{header}.{claims}.{signature[:-4]}AAAA", f"{header}.{claims}.{'A' * 86}"):
        assert code_for(server, token) == 401


@pytest.mark.parametrize(
    "token",
    ["a.b.c", "..", "a.b", "e30.e30.e30", "!.!.!", "a" * 7000, f"{part({'alg': 'ES256'})}.{part({})}.{'A' * 86}", "W10.W10." + "A" * 86],
)
def test_what_is_no_token_is_refused(server, token) -> None:
    assert code_for(server, token) == 401


def test_a_deeply_nested_token_is_refused(server) -> None:
    nested = base64.urlsafe_b64encode(b"[" * 3000).decode()
    assert code_for(server, f"{nested}.{nested}.{'A' * 86}") == 401


def test_headers_that_are_too_large_are_refused(server, http) -> None:
    client = server.client(headers={"Authorization": "Bearer " + "a" * 100_000})
    assert client.get("/api/v1/namespaces").status_code in (400, 431)
    assert http.get("/readyz").text == "ok"


def test_a_token_dies_with_its_account(http, account) -> None:
    path = f"/api/v1/namespaces/{account.namespace}/serviceaccounts"
    assert account.http.post(WHOAMI, json={}).status_code == 201
    assert http.delete(f"{path}/{account.name}").status_code == 200
    assert account.http.post(WHOAMI, json={}).status_code == 401
    assert http.post(path, json={"metadata": {"name": account.name}}).status_code == 201
    assert account.http.post(WHOAMI, json={}).status_code == 401


def test_tokens_and_the_key_outlive_a_restart(launch, tmp_path) -> None:
    first = launch(tmp_path)
    path = "/api/v1/namespaces/default/serviceaccounts/default/token"
    token = first.client().post(path, json={}).json()["status"]["token"]
    assert (tmp_path / "service-accounts.key").stat().st_mode & 0o777 == 0o600
    first.stop()
    assert code_for(launch(tmp_path), token) == 201


# -- reviews of tokens


def review(http: httpx.Client, token: str, *audiences: str) -> dict[str, Any]:
    return http.post(REVIEWS, json={"spec": {"token": token, "audiences": list(audiences)}}).json()["status"]


def test_a_review_says_whose_a_token_is(http, account) -> None:
    status = review(http, account.token)
    assert (status["authenticated"], status["user"]["username"]) == (True, account.user)
    assert status["audiences"] == [ISSUER]
    assert "authenticated" not in review(http, "nonsense")
    assert review(http, "")["error"] == "invalid bearer token: not a JSON Web Token"


def test_a_token_is_for_its_audience_only(server, http, account) -> None:
    token = request_token(http, account, audiences=["vault"]).json()["status"]["token"]
    assert code_for(server, token) == 401
    found = review(http, token, "vault", "other")
    assert (found["authenticated"], found["audiences"]) == (True, ["vault"])
    assert review(http, token)["error"] == "invalid bearer token: not for this audience"


def test_only_who_may_can_have_tokens_reviewed(account) -> None:
    refused = account.http.post(REVIEWS, json={"spec": {"token": account.token}})
    assert refused.status_code == 403


# -- accounts


def test_every_namespace_has_its_default_account(launch, tmp_path) -> None:
    first = launch(tmp_path)
    http = first.client()
    http.post("/api/v1/namespaces", json={"metadata": {"name": "new"}})
    path = "/api/v1/namespaces/new/serviceaccounts/default"
    uid = http.get(path).json()["metadata"]["uid"]
    http.delete(path)
    again = http.get(path).json()["metadata"]["uid"]
    assert again != uid
    first.stop()
    http = launch(tmp_path).client()
    assert http.get(path).json()["metadata"]["uid"] == again
    assert http.delete("/api/v1/namespaces/new").status_code == 200
    assert http.get("/api/v1/namespaces/default/serviceaccounts/default").status_code == 200


# -- kubectl


def test_kubectl_creates_tokens(kubectl, kubectl_path, server, account, tmp_path) -> None:
    if "  token " not in kubectl("create", "--help").stdout:
        pytest.skip("this kubectl has no `create token`")
    made = kubectl("create", "token", account.name, "-n", account.namespace, "--duration", "1h")
    assert made.returncode == 0, made.stderr
    config = yaml.safe_load(server.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": made.stdout.strip()}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    env = {**os.environ, "KUBECONFIG": str(tmp_path / "kubeconfig")}
    said = subprocess.run([kubectl_path, "get", "pods"], env=env, capture_output=True, text=True, timeout=60)
    assert said.stderr == (
        f'Error from server (Forbidden): pods is forbidden: User "{account.user}" cannot list resource "pods" in API group "" '
        'in the namespace "default"\n'
    )
