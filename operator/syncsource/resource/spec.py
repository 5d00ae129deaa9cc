"""What a SyncSource asks for: ``spec``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from syncsource.resource.fields import FieldSpec, Key
from syncsource.resource.firestore import FIELD_PATH
from syncsource.resource.incremental import Incremental
from syncsource.resource.partitions import Partitions
from syncsource.resource.parts import PositiveDuration, UrlFrom
from syncsource.resource.safety import Safety
from syncsource.resource.source import Source
from syncsource.resource.types import Cron, Duration, Part, Path, TimeZone, ruled
from syncsource.resource.validating import Validation
from syncsource.resource.writing import TableName, Write

_BATCH = "(has(self.safety) && has(self.safety.transaction) && self.safety.transaction == 'Batch')"
LIST_MAP_BY_NAME = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}


class Schedule(Part):
    """When runs start by themselves: exactly one of every and cron."""

    model_config = ruled(
        ("has(self.every) != has(self.cron)", "exactly one of every and cron must be set"),
        ("!has(self.timeZone) || has(self.cron)", "timeZone is only for cron"),
        ("!has(self.every) || self.every >= duration('1s')", "every must be at least 1s", ".every"),
    )
    every: Duration | None = Field(None, description="Interval between the starts of runs, for example 5m.")
    cron: Cron | None = Field(None, description="Five cron fields. `H` stands for a value hashed from the object's uid.")
    time_zone: TimeZone | None = Field(None, description="IANA time zone of cron. Absent: UTC.")


class SqlDestination(Part):
    """A table in PostgreSQL, MySQL, MariaDB or SQLite."""

    model_config = ruled(
        ("self.table == oldSelf.table", "table is immutable", ".table"),
        (
            "has(self.schema) == has(oldSelf.schema) && (!has(self.schema) || self.schema == oldSelf.schema)",
            "schema is immutable",
        ),
    )
    url_from: UrlFrom = Field(
        description=(
            "The database URL: postgresql://user:password@host:5432/name, mysql://user:password@host:3306/name or sqlite:////path/to/file.db."
        )
    )
    schema_: Annotated[str, Field(min_length=1, max_length=63)] | None = Field(
        None, alias="schema", description="Schema of the table: on MySQL and MariaDB the database. Absent: the connection's default."
    )
    table: TableName = Field(description="Name of the table.")
    create_table: bool = Field(False, description="Create the table from spec.fields if it does not exist.")


class Destination(Part):
    """Where rows go."""

    sql: SqlDestination = Field(description="A table in PostgreSQL, MySQL, MariaDB or SQLite.")


class Retry(Part):
    """Retries of a failed run."""

    limit: int = Field(5, ge=0, le=100, description="Retries before the next scheduled run. 0: none.")
    backoff: PositiveDuration = Field(timedelta(seconds=30), description="Wait before the first retry; doubles each time.")
    max_backoff: PositiveDuration = Field(timedelta(minutes=10), description="Longest wait between two retries.")


class SyncSourceSpec(Part):
    """What should be kept up to date, from where, and how."""

    model_config = ruled(
        (
            "!has(self.fields) || self.keys.all(k, k.fields.all(f, self.fields.exists(x, x.name == f)))",
            "every key field must be one of spec.fields",
            ".keys",
        ),
        (
            "!has(self.fields) || !has(self.validation) || !has(self.validation.rules) || self.validation.rules.all(r, self.fields.exists(x, x.name == r.field))",
            "every rule's field must be one of spec.fields",
            ".validation.rules",
        ),
        (
            "!has(self.fields) || !has(self.validation) || !has(self.validation.columns) || self.validation.columns == 'Freeze'",
            "Evolve is for columns that are inferred: remove spec.fields, or Evolve",
            ".validation.columns",
        ),
        (
            "has(self.partitions) || !has(self.fields) || !self.fields.exists(f, has(f.partition) && f.partition)",
            "a field that holds the partition needs spec.partitions",
            ".fields",
        ),
        (
            "!has(self.incremental) || has(self.source.http) || !(has(self.incremental.param) || has(self.incremental.endParam) || has(self.incremental.format))",
            "param, endParam and format are for source.http",
            ".incremental",
        ),
        (
            "!has(self.incremental) || !has(self.source.http) || has(self.incremental.param) || has(self.source.http.request)",
            "param is needed to send the cursor to source.http, or a template {{ cursor }} in source.http.request",
            ".incremental",
        ),
        (
            f"!has(self.source.firestore) || !has(self.incremental) || self.incremental.cursor.matches(r'{FIELD_PATH}')",
            "source.firestore needs a cursor that is the path of a field, such as updatedAt or meta.updatedAt",
            ".incremental",
        ),
        (
            "!has(self.source.firestore) || !has(self.incremental) || !self.incremental.cursor.startsWith('__')",
            "Firestore can't be queried by what it knows of a document, such as its own update time: have each write set a field with "
            "serverTimestamp(), such as updatedAt, and name that one",
            ".incremental",
        ),
        (
            "!has(self.source.csv) || (!has(self.incremental) && !has(self.partitions))",
            "files are read whole, each once: incremental and partitions are not for source.csv",
            ".source.csv",
        ),
        (
            "!has(self.source.csv) || has(self.source.csv.path) || has(self.source.csv.download) || !has(self.schedule)",
            "source.csv without path and download is fed by `syncsource import`: remove schedule, or set one of them",
            ".schedule",
        ),
        (
            "!has(self.source.csv) || has(self.source.csv.path) || has(self.source.csv.download) || !has(self.safety) || !has(self.safety.verify)",
            "files that `syncsource import` hands over are not there to be read again: remove safety.verify, or set source.csv.path or download",
            ".safety.verify",
        ),
        (
            "!has(self.fields) || !has(self.write) || !has(self.write.protect) || self.write.protect.all(p, self.fields.exists(f, f.name == p))",
            "every protected column must be one of spec.fields",
            ".write.protect",
        ),
        (
            "!has(self.write) || !has(self.write.protect) || self.keys.size() > 1 || has(self.keys[0].normalize) || "
            "self.write.protect.all(p, !self.keys.exists(k, p in k.fields))",
            "the columns of a single key are never changed: protect others",
            ".write.protect",
        ),
        (
            "!has(self.fields) || !has(self.write) || !has(self.write.skipIf) || "
            "self.write.skipIf.all(s, s.match.all(m, self.fields.exists(f, f.name == m)))",
            "every name in match must be one of spec.fields",
            ".write.skipIf",
        ),
        (
            "!has(self.write) || !has(self.write.onMissing) || self.write.onMissing != 'Skip' || "
            "!has(self.destination.sql.createTable) || !self.destination.sql.createTable",
            "onMissing Skip never fills a table that it creates: remove destination.sql.createTable, or Skip",
            ".write.onMissing",
        ),
        (
            "!has(self.fields) || !has(self.write) || !has(self.write.conflict) || "
            "((!has(self.write.conflict.field) || self.fields.exists(f, f.name == self.write.conflict.field)) && "
            "(!has(self.write.conflict.columns) || self.write.conflict.columns.all(c, self.fields.exists(f, f.name == c.column))))",
            "field and columns must be of spec.fields",
            ".write.conflict",
        ),
        (
            "!has(self.write) || !has(self.write.skipIf) || !has(self.write.onAbsent) || self.write.onAbsent == 'Ignore' || "
            "(self.keys.size() == 1 && !has(self.keys[0].normalize))",
            "with several keys, or normalized ones, it is not known which rows the records are of that skipIf keeps out: remove skipIf, or let "
            "onAbsent be Ignore",
            ".write.skipIf",
        ),
        (
            "!has(self.safety) || !has(self.safety.minRows) || !has(self.incremental) || !has(self.incremental.window)",
            "minRows is about reading everything at once: remove incremental.window, or minRows",
            ".safety.minRows",
        ),
        (
            "!has(self.write) || !has(self.write.onAbsent) || self.write.onAbsent == 'Ignore' || !has(self.incremental) || !has(self.incremental.window)",
            "what is absent is known after reading everything at once: remove incremental.window, or let onAbsent be Ignore",
            ".write.onAbsent",
        ),
        (
            f"!{_BATCH} || !has(self.write) || !has(self.write.onAbsent) || self.write.onAbsent == 'Ignore'",
            "what is absent is not known before the first batch is committed: let safety.transaction be Run, or onAbsent Ignore",
            ".write.onAbsent",
        ),
        (
            f"!{_BATCH} || !has(self.validation) || !has(self.validation.maxInvalid)",
            "how many records are invalid is not known before the first batch is committed: let safety.transaction be Run, or remove maxInvalid",
            ".validation.maxInvalid",
        ),
        (
            f"!{_BATCH} || !has(self.validation) || !has(self.validation.onInvalid) || self.validation.onInvalid != 'Fail'",
            "whether a record is invalid is not known before the first batch is committed: let safety.transaction be Run, or onInvalid Quarantine",
            ".validation.onInvalid",
        ),
    )
    suspend: bool = Field(False, description="Stops scheduled and requested runs.")
    suspend_reason: Annotated[str, Field(max_length=256)] = Field("", description="Shown with the Suspended condition.")
    schedule: Schedule | None = Field(None, description="When runs start by themselves. Absent: only on request.")
    source: Source = Field(description="Where records come from.")
    partitions: Partitions | None = Field(None, description="Independent slices of the source. Absent: it is read as a whole.")
    incremental: Incremental | None = Field(None, description="Read only what changed. Absent: every run reads everything.")
    filter: Path | None = Field(
        None, description="JMESPath condition on a record, such as status != 'draft'. Records that it leaves out count as skipped."
    )
    fields: Annotated[list[FieldSpec], Field(min_length=1, max_length=500, json_schema_extra=LIST_MAP_BY_NAME)] = Field(
        default_factory=list,
        description="Columns, and where their values stand in a record. Absent: the table's columns that the first records have a field for, or "
        "where the table is to be created, all of their fields; found once, and kept until the spec changes or a full refresh is asked for.",
    )
    keys: Annotated[list[Key], Field(min_length=1, max_length=8, json_schema_extra={"x-kubernetes-list-type": "atomic"})] = Field(
        description="The keys that find a record's row, strongest first. A weaker one finds a row only where no stronger one is complete on both "
        "sides. A record without a complete key is quarantined, and so is one whose key finds several rows."
    )
    destination: Destination = Field(description="Where rows go.")
    write: Write = Field(default_factory=Write, description="How a record meets the table.")
    validation: Validation = Field(default_factory=Validation, description="What becomes of invalid records.")
    safety: Safety = Field(default_factory=Safety, description="Limits of what a run may do.")
    retry: Retry = Field(default_factory=Retry, description="Retries of a failed run.")
    timeout: PositiveDuration = Field(timedelta(minutes=10), description="Longest time one run may take.")

    @property
    def needed_keys(self) -> list[str]:
        """Fields that no record may lack, since every key has them."""
        return [name for name in self.keys[0].fields if all(name in key.fields for key in self.keys)]

    @property
    def key_fields(self) -> list[str]:
        """The fields of all keys, in their order."""
        return list(dict.fromkeys(name for key in self.keys for name in key.fields))

    @property
    def secret_keys(self) -> list[tuple[str, str]]:
        """The (Secret, key) pairs that a run needs."""
        url = self.destination.sql.url_from.secret_key_ref
        return [*self.source.chosen.secret_keys, (url.name, url.key)]

    def named_in(self, name: str, key: str) -> str:
        """The field that names a Secret's key, for messages."""
        url = self.destination.sql.url_from.secret_key_ref
        if (url.name, url.key) == (name, key):
            return "spec.destination.sql.urlFrom"
        return f"spec.source.{self.source.kind}.{self.source.chosen.asking(name, key)}"

    @property
    def secret_names(self) -> frozenset[str]:
        """The Secrets that a run needs."""
        return frozenset(name for name, _ in self.secret_keys)
