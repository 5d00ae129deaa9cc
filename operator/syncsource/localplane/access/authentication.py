"""From a bearer token to the user whom it names, and from there to whom that user wants to be."""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from urllib.parse import unquote

from multidict import CIMultiDictProxy

from syncsource.localplane import errors
from syncsource.localplane.access.authorizer import Authorizer
from syncsource.localplane.access.identity import ADMIN, AUTHENTICATED, Attributes, User, account_groups, account_name, split_account
from syncsource.localplane.access.tokens import ISSUER, Claims, InvalidToken, Signer
from syncsource.localplane.storage.encoding import decode
from syncsource.localplane.storage.store import Key, Store

_VERIFIED = 256
"""Tokens whose signatures are not checked again."""
_TOKEN_ID = "authentication.kubernetes.io/credential-id"
_EXTRA = "impersonate-extra-"


class Authenticator:
    """Knows the administrator's token, and the tokens of service accounts that exist."""

    def __init__(self, admin_token: str, signer: Signer, store: Store) -> None:
        self._admin_token, self._store = admin_token.encode(), store
        self._claims = lru_cache(_VERIFIED)(signer.claims)

    def header_user(self, header: str) -> User:
        """The user of an Authorization header; raises the 401 of one that names nobody."""
        scheme, _, token = header.partition(" ")
        try:
            if scheme != "Bearer":
                raise InvalidToken("not a bearer token")
            return self.accept(token, (ISSUER,))[0]
        except InvalidToken as wrong:
            raise errors.unauthorized() from wrong

    def accept(self, token: str, audiences: Sequence[str]) -> tuple[User, list[str]]:
        """The user of a token, and for which of `audiences` it is; raises InvalidToken where it is for none."""
        if hmac.compare_digest(token.encode(errors="replace"), self._admin_token):
            return ADMIN, list(audiences)
        claims = self._claims(token)
        _check_times(claims, time.time())
        meant = [audience for audience in audiences if audience in claims.aud]
        if claims.iss != ISSUER or not meant:
            raise InvalidToken("not for this audience")
        return self._account(claims), meant

    def _account(self, claims: Claims) -> User:
        namespace, account = claims.bound.namespace, claims.bound.serviceaccount
        stored = self._store.get(Key("serviceaccounts", namespace, account.name))
        if stored is None or decode(stored)["metadata"]["uid"] != account.uid:
            raise InvalidToken("the service account has been deleted")
        groups = (*account_groups(namespace), AUTHENTICATED)
        return User(account_name(namespace, account.name), groups, account.uid, {_TOKEN_ID: (f"JTI={claims.jti}",)})


def _check_times(claims: Claims, now: float) -> None:
    if now >= claims.exp:
        raise InvalidToken("the token has expired")
    if now + 1 < claims.nbf:
        raise InvalidToken("the token is not valid yet")


def impersonated(user: User, headers: CIMultiDictProxy[str], authorizer: Authorizer) -> User:
    """Whom the user asks to be taken for; raises the 403 of who may not be that."""
    asked = [name for name in headers if name.lower().startswith("impersonate-")]
    if not asked:
        return user
    name, groups, uid = headers.get("Impersonate-User", ""), headers.getall("Impersonate-Group", []), headers.get("Impersonate-Uid", "")
    if not name:
        raise errors.bad_request("groups, uid and extra can't be impersonated without impersonating a user")
    extra = {unquote(key.lower().removeprefix(_EXTRA)): tuple(headers.getall(key)) for key in asked if key.lower().startswith(_EXTRA)}
    for wanted in _impersonations(name, groups, uid, extra):
        authorizer.check(user, wanted)
    account = split_account(name)
    given = groups or (account_groups(account[0]) if account else ())
    return User(name, tuple(dict.fromkeys((*given, AUTHENTICATED))), uid, extra)


def _impersonations(name: str, groups: list[str], uid: str, extra: Mapping[str, tuple[str, ...]]) -> Iterator[Attributes]:
    account = split_account(name)
    if account:
        yield Attributes("impersonate", resource="serviceaccounts", namespace=account[0], name=account[1])
    else:
        yield Attributes("impersonate", resource="users", name=name)
    yield from (Attributes("impersonate", resource="groups", name=group) for group in groups)
    if uid:
        yield Attributes("impersonate", "authentication.k8s.io", "uids", name=uid)
    for key, values in extra.items():
        yield from (Attributes("impersonate", "authentication.k8s.io", "userextras", key, name=value) for value in values)
