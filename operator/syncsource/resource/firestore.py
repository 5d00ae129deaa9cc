"""A Firestore collection as a source: ``spec.source.firestore``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

from syncsource.resource.http import RequestRetry
from syncsource.resource.parts import PositiveDuration, RateLimit, SecretRef, SourcePart
from syncsource.resource.types import Part, Text, cel, ruled

ENDPOINT = "https://firestore.googleapis.com"
KEY = "serviceAccount.json"
"""The Secret's key that holds a service account's key file."""

_NAME = r"([A-Za-z_][A-Za-z0-9_]*|\"[^\"\\\\`]+\")"
FIELD_PATH = rf"^{_NAME}(\.{_NAME})*$"
"""Names joined by dots: what both a JMESPath and a Firestore query can say. A name in quotes may hold anything else."""

Op = Literal[
    "Equal",
    "NotEqual",
    "LessThan",
    "LessThanOrEqual",
    "GreaterThan",
    "GreaterThanOrEqual",
    "In",
    "NotIn",
    "ArrayContains",
    "ArrayContainsAny",
    "IsNull",
    "IsNotNull",
    "IsNaN",
    "IsNotNaN",
]
INEQUALITIES = frozenset(("NotEqual", "LessThan", "LessThanOrEqual", "GreaterThan", "GreaterThanOrEqual", "NotIn", "IsNotNull", "IsNotNaN"))
"""Operators whose field a query must be ordered by."""
PARTITION = re.compile(r"\{\{\s*partition\s*\}\}")
"""What stands for the partition's value."""


class ServiceAccount(Part):
    """A Google service account."""

    secret_ref: SecretRef = Field(description=f"Secret with the key `{KEY}`: the JSON key file of the account, as Google hands it out.")


class FirestoreAuth(Part):
    """How requests are authenticated."""

    service_account: ServiceAccount = Field(
        description="A service account with the role Cloud Datastore Viewer. Each request carries a JWT that its key has signed."
    )


class Condition(Part):
    """A condition that documents must meet."""

    model_config = ruled(
        (
            "self.op in ['In', 'NotIn', 'ArrayContainsAny'] == has(self.values)",
            "values is for In, NotIn and ArrayContainsAny, which need it",
        ),
        (
            "(self.op in ['IsNull', 'IsNotNull', 'IsNaN', 'IsNotNaN'] || has(self.values)) != has(self.value)",
            "value is needed by every op but In, NotIn, ArrayContainsAny and those that begin with Is",
        ),
    )
    field: Annotated[str, Field(min_length=1, max_length=512, pattern=FIELD_PATH)] = Field(
        description="Path of the field, such as status or address.city. `__name__` is the document itself, compared with values of type reference."
    )
    op: Op = Field(description="How the field is compared.")
    type: Literal["text", "integer", "double", "boolean", "timestamp", "reference"] | None = Field(
        None,
        description=(
            "Firestore's type of value and values, since it compares only within a type. Absent: integer for a number, text for a text. "
            "A reference is a document's path, such as stores/7."
        ),
    )
    value: Text | None = Field(None, description="What the field is compared with.")
    values: Annotated[list[Text], Field(min_length=1, max_length=30, json_schema_extra={"x-kubernetes-list-type": "atomic"})] | None = (
        Field(None, description="What the field is compared with, by In, NotIn and ArrayContainsAny.")
    )


class FirestoreSource(SourcePart):
    """A collection of Firestore, in Native mode, by its REST API."""

    model_config = ruled(("has(self.auth) || has(self.endpoint)", "auth is needed, unless endpoint names an emulator", ".auth"))
    project: Annotated[str, Field(max_length=128, pattern=r"^([a-z0-9.-]+:)?[a-z0-9][a-z0-9-]*$")] = Field(
        description="Id of the Google Cloud project."
    )
    database: Annotated[str, Field(max_length=63, pattern=r"^(\(default\)|[a-z0-9][a-z0-9-]*)$")] = Field(
        "(default)", description="Id of the database."
    )
    collection: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1500,
            pattern=r"^[^/]+(/[^/]+/[^/]+)*$",
            json_schema_extra=cel(("self.split('/').all(s, s != '.' && s != '..')", "must not hold . or .. as a segment")),
        ),
    ] = Field(description="Path of the collection, such as orders, or stores/7/orders below a document.")
    collection_group: bool = Field(
        False, description="Read all collections of that name, at any depth, below the database or the document that the path names."
    )
    where: Annotated[list[Condition], Field(max_length=20, json_schema_extra={"x-kubernetes-list-type": "atomic"})] = Field(
        default_factory=list,
        description="Conditions that documents must meet, all of them. Firestore checks them, so that others are not billed.",
    )
    field_mask: bool = Field(
        True, description="Fetch only the fields that spec.fields and spec.incremental read, instead of whole documents."
    )
    references: Literal["Name", "Path", "Id"] = Field(
        "Name",
        description="How references to documents are read. Name: projects/p/databases/d/documents/stores/7. Path: stores/7. Id: 7.",
    )
    page_size: int = Field(300, ge=1, le=10_000, description="Documents asked for at once; fewer where documents are large.")
    auth: FirestoreAuth | None = Field(None, description="How requests are authenticated. Absent: as an emulator's owner.")
    endpoint: Annotated[str, Field(max_length=2048, pattern=r"^https?://[^/?#@\s]+/?$")] | None = Field(
        None, description=f"Where the API is: an emulator, such as http://localhost:8080, or a private address. Absent: {ENDPOINT}."
    )
    rate_limit: RateLimit | None = Field(None, description="Shared by all SyncSources of one operator that hit the same host.")
    retry: RequestRetry = Field(default_factory=RequestRetry, description="Retries of one request.")
    timeout: PositiveDuration = Field(timedelta(seconds=60), description="Longest wait for one answer, its body included.")

    @property
    def base(self) -> str:
        """Where the API is, without a slash at its end."""
        return (self.endpoint or ENDPOINT).rstrip("/")

    @property
    def names_partition(self) -> bool:
        """Whether :data:`PARTITION` stands in the collection's path or in a condition."""
        values = (value for one in self.where for value in (one.value, *(one.values or ())))
        return any(isinstance(text, str) and PARTITION.search(text) for text in (self.collection, *values))

    @property
    def secret_keys(self) -> list[tuple[str, str]]:
        return [(self.auth.service_account.secret_ref.name, KEY)] if self.auth else []

    @property
    def limits(self) -> Mapping[str, RateLimit]:
        return {(urlsplit(self.base).hostname or "").lower(): self.rate_limit} if self.rate_limit else {}

    @property
    def place(self) -> str:
        group = " (collection group)" if self.collection_group else ""
        return f"{self.project}/{self.database}: {self.collection}{group}"
