"""The HTTP side of the test Firestore."""

from __future__ import annotations

import contextlib
import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1._helpers import encode_dict
from google.protobuf import json_format

from tests.firestore.querying import Document, Invalid, run
from tests.upstream import Asked, Reply, Upstream, serving

PROJECT, DATABASE = "shop-1", "(default)"
DOCUMENTS = f"projects/{PROJECT}/databases/{DATABASE}/documents"
AUDIENCE = "https://firestore.googleapis.com/"
EPOCH = 1_700_000_000
_CALL = re.compile(r"/v1/(projects/[^/]+/databases/[^/]+/documents(?:/.+)?):runQuery")

Fault = Callable[["Asked", list[str]], Reply | None]
"""Makes another answer of the elements that an answer would have had; None: that answer."""


@dataclass
class Account:
    """A service account whose key the server knows."""

    email: str = "reader@shop-1.iam.gserviceaccount.com"
    key_id: str = "key-1"
    key: Any = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def pem(self) -> str:
        return str(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())

    def file(self, **changes: Any) -> str:
        """The key file, as Google hands it out."""
        whole = {"type": "service_account", "project_id": PROJECT, "private_key_id": self.key_id, "private_key": self.pem}
        return json.dumps({**whole, "client_email": self.email, **changes})


@dataclass
class Firestore:
    """Documents by name, every state of each, and what was asked of them."""

    account: Account | None = None
    """Whose tokens are taken; None: an emulator, which takes its owner."""
    faults: deque[Fault | None] = field(default_factory=deque)
    """One for each request to come."""
    reads: int = 0
    """Document reads as Firestore bills them."""
    queries: list[Any] = field(default_factory=list)
    """RunQueryRequests that were answered."""
    tokens: list[str] = field(default_factory=list)
    upstream: Upstream = field(init=False)
    readers: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    """What is to be closed with the server."""
    _history: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    _clock: int = 0

    @property
    def url(self) -> str:
        return self.upstream.url

    def put(self, path: str, fields: Mapping[str, Any]) -> None:
        """Write a document. Values are Python's, as the client library takes them, or protobuf Values."""
        name, moment = f"{DOCUMENTS}/{path}", self._tick()
        before = self._at(name, moment)
        document = Document(name=name)
        for key, value in fields.items():
            document.fields[key].CopyFrom(value if hasattr(value, "WhichOneof") else types.Value.pb(encode_dict({key: value})[key]))
        _set(document.update_time, moment)
        _set(document.create_time, moment) if before is None else document.create_time.CopyFrom(before.create_time)
        self._history.setdefault(name, []).append((moment, document))

    def delete(self, path: str) -> None:
        """Delete a document."""
        self._history[f"{DOCUMENTS}/{path}"].append((self._tick(), None))

    def __call__(self, asked: Asked) -> Reply:
        try:
            return self._answer(asked)
        except Invalid as error:
            return refusal(400, "INVALID_ARGUMENT", str(error))

    def _answer(self, asked: Asked) -> Reply:
        if not self._known(asked.headers.get("authorization", "").removeprefix("Bearer ")):
            return refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        call = _CALL.fullmatch(unquote(asked.path))
        if asked.method != "POST" or call is None:
            return refusal(404, "NOT_FOUND", "Method not found.")
        elements = self._run(call[1], asked.body)
        fault = self.faults.popleft() if self.faults else None
        return (fault(asked, elements) if fault else None) or Reply(array(elements))

    def _run(self, parent: str, body: bytes) -> list[str]:
        try:
            request = json_format.Parse(body, types.RunQueryRequest.pb()())
        except json_format.ParseError as error:
            raise Invalid(f"Invalid JSON payload received. {error}") from None
        now = self._tick()
        moment = _moment(request.read_time) if request.HasField("read_time") else now
        found = run(request.structured_query, self._state(moment), parent)
        self.queries.append(request)
        self.reads += max(1, len(found))
        return [_element(one, moment) for one in found] or [_element(None, moment)]

    def _state(self, moment: int) -> list[Any]:
        return [document for name in self._history if (document := self._at(name, moment)) is not None]

    def _at(self, name: str, moment: int) -> Any:
        states = [document for written, document in self._history.get(name, ()) if written <= moment]
        return states[-1] if states else None

    def _tick(self) -> int:
        """Microseconds since the server's beginning: every write and query has its own."""
        self._clock += 1
        return self._clock

    def _known(self, token: str) -> bool:
        self.tokens.append(token)
        if self.account is None:
            return token == "owner"
        try:
            options = {"require": ["exp", "iat", "iss", "sub"]}
            claims = jwt.decode(
                token, self.account.key.public_key(), ["RS256"], audience=AUDIENCE, issuer=self.account.email, options=options
            )
        except jwt.InvalidTokenError:
            return False
        fits = claims["sub"] == self.account.email and claims["exp"] - claims["iat"] <= 3600
        return fits and jwt.get_unverified_header(token)["kid"] == self.account.key_id


@contextlib.contextmanager
def firestore(account: Account | None = None) -> Iterator[Firestore]:
    """A server for the time of a test."""
    store = Firestore(account)
    with serving(store) as upstream, store.readers:
        store.upstream = upstream
        yield store


def array(elements: list[str]) -> bytes:
    """As Google writes it: elements one by one."""
    return ("[" + "\n,\r\n".join(elements) + "\n]").encode()


def error(code: int, status: str, message: str, *details: Mapping[str, Any]) -> str:
    """google.rpc.Status, as JSON."""
    whole = {"code": code, "message": message, "status": status, **({"details": list(details)} if details else {})}
    return json.dumps({"error": whole})


def refusal(code: int, status: str, message: str, *details: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Reply:
    """An error before the first document. Of runQuery it stands in an array, too."""
    return Reply(array([error(code, status, message, *details)]), code, dict(headers or {}))


def _element(document: Any, moment: int) -> str:
    response = types.RunQueryResponse.pb()(document=document)
    _set(response.read_time, moment)
    return str(json_format.MessageToJson(response, indent=1))


def _set(timestamp: Any, moment: int) -> None:
    timestamp.seconds, timestamp.nanos = EPOCH + moment // 1_000_000, moment % 1_000_000 * 1000


def _moment(timestamp: Any) -> int:
    return int((timestamp.seconds - EPOCH) * 1_000_000 + timestamp.nanos // 1000)
