"""Parts that several kinds of sources share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, WithJsonSchema

from syncsource.resource.types import DURATION_PATTERN, Duration, Part, Positive, SecretName, cel

Param = Annotated[str, Field(min_length=1, max_length=128)]
# Not by Field(json_schema_extra=…), which pydantic drops where the type is optional.
PositiveDuration = Annotated[
    Duration, WithJsonSchema({"type": "string", "format": "duration", "maxLength": 32, "pattern": DURATION_PATTERN, **cel(Positive)})
]


class SourcePart(Part):
    """What every kind of source says of itself; each overrides what it has."""

    @property
    def secret_keys(self) -> list[tuple[str, str]]:
        """The (Secret, key) pairs that a read needs."""
        return []

    def asking(self, name: str, key: str) -> str:
        """The field, within this part, that asks for a Secret's key."""
        return "auth"

    @property
    def limits(self) -> Mapping[str, RateLimit]:
        """Rate limits by the host that they are about."""
        return {}

    @property
    def takes_once(self) -> bool:
        """Whether what was read is not read again for the sake of records of it that are in quarantine."""
        return False

    @property
    def place(self) -> str:
        """Where the data is, for people; holds no secret."""
        raise NotImplementedError


class SecretRef(Part):
    """A Secret of the SyncSource's own namespace."""

    name: SecretName = Field(description="Name of a Secret in the SyncSource's namespace.")


class SecretKeyRef(Part):
    """A key of a Secret of the SyncSource's own namespace."""

    name: SecretName = Field(description="Name of the Secret.")
    key: SecretName = Field(description="Key in the Secret's data.")


class UrlFrom(Part):
    """Where the database URL is kept."""

    secret_key_ref: SecretKeyRef = Field(description="The Secret's key that holds the URL.")


class RateLimit(Part):
    """At most so many requests in any such span of time."""

    requests: int = Field(ge=1, le=100_000, description="Number of requests.")
    per: PositiveDuration = Field(description="Span of time, for example 1s.")
