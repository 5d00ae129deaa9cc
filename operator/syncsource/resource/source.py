"""Where records come from: ``spec.source``, exactly one kind of source."""

from __future__ import annotations

from pydantic import Field

from syncsource.resource.csvsource import CsvSource
from syncsource.resource.firestore import FirestoreSource
from syncsource.resource.http import HttpSource
from syncsource.resource.parts import SourcePart
from syncsource.resource.sqlsource import SqlSource
from syncsource.resource.types import Part, ruled


class Source(Part):
    """Where records come from; exactly one kind."""

    model_config = ruled(
        (
            "[has(self.http), has(self.firestore), has(self.csv), has(self.sql)].exists_one(x, x)",
            "exactly one of http, firestore, csv, sql must be set",
        )
    )
    http: HttpSource | None = Field(None, description="A REST API that answers with JSON.")
    firestore: FirestoreSource | None = Field(None, description="A collection of Firestore.")
    csv: CsvSource | None = Field(None, description="Files of separated values, each read once.")
    sql: SqlSource | None = Field(None, description="A table or a query of a database.")

    @property
    def chosen(self) -> SourcePart:
        """The kind that is set."""
        chosen: SourcePart = next(part for name in type(self).model_fields if (part := getattr(self, name)) is not None)
        return chosen

    @property
    def kind(self) -> str:
        """Its name in the spec: http, firestore, csv, sql."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)
