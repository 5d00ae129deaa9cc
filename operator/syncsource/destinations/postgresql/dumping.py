"""A table of PostgreSQL in a file of pg_dump's, which people can restore without us, too."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from psycopg.conninfo import make_conninfo

from syncsource.destinations.dumps.programs import Programs, program
from syncsource.destinations.quoting import quoted
from syncsource.destinations.table import Layout
from syncsource.errors import PermanentError, RetryableError, SchemaMismatch

_NAME = rb'(?:"(?:[^"]|"")*"|[^\s".(]+)'
_COPY = re.compile(rb"COPY (?:" + _NAME + rb"\.)?" + _NAME + rb" (\(.*\)) FROM stdin;\n")
_END = b"\\.\n"
_LINES = 2_000
"""Rows that are handed over at once."""

_ODD = """
SELECT EXISTS (SELECT 1 FROM pg_class WHERE oid = to_regclass(%(name)s) AND relkind = 'p')
    OR EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = to_regclass(%(name)s)),
  EXISTS (SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = to_regclass(%(name)s) AND i.indisprimary AND a.attgenerated <> '')
"""


class PostgresDumping:
    """By pg_dump and pg_restore, on connections of their own."""

    ending = ".pgdump"

    def __init__(self, driver: Any, programs: Programs) -> None:
        self._driver, self._programs = driver, programs

    def check(self) -> None:
        program("pg_dump")
        program("pg_restore")
        if "sslpassword" in self._driver.info.get_parameters():
            raise PermanentError(
                "spec.safety.backup with mode File can't hand the URL's sslpassword to pg_dump unseen: use a key without a password",
                reason="NotSupported",
            )

    def check_table(self, layout: Layout) -> None:
        """pg_dump leaves out what stands in the parts of a table, and generated columns."""
        has_parts, makes_key = self._driver.execute(_ODD, {"name": quoted(layout.schema, layout.name)}).fetchone()
        if has_parts or makes_key:
            what = "consists of partitions or has children" if has_parts else "has a generated column in its primary key"
            raise SchemaMismatch(f"the table {layout.name!r} {what}, so that a file can't bring it back: use spec.safety.backup.mode Table")

    def dump(self, layout: Layout, file: Path) -> None:
        """The password goes by the environment, which other users can't read."""
        info = self._driver.info
        given = {name: value for name, value in info.get_parameters().items() if name not in ("password", "client_encoding")}
        options = ["--format=custom", "--encoding=UTF8", "--no-password", "--no-owner", "--lock-wait-timeout=30000"]
        table = f"--table={quoted(layout.schema, layout.name)}"
        command = [program("pg_dump"), *options, table, f"--dbname={make_conninfo(**given)}"]
        environment = {"PGPASSWORD": info.password} if info.password else {}
        with self._programs.output(command, environment) as written, file.open("wb") as stream:
            shutil.copyfileobj(written, stream, 1 << 20)

    def rows(self, layout: Layout, file: Path) -> int:
        with self._programs.output(self._reading(file)) as written:
            _columns(written, file)
            count = sum(1 for _ in _rows(written, file))
            _drain(written)
        return count

    def load(self, file: Path, table: str, columns: Sequence[str], lacking: Sequence[str], scratch: str) -> int:
        """What stood in columns that are gone is read as text."""
        for name in lacking:
            self._driver.execute(f"ALTER TABLE {quoted(scratch)} ADD COLUMN {quoted(name)} text")
        count = 0
        with self._programs.output(self._reading(file)) as written:
            names = _columns(written, file).decode()
            with self._driver.cursor() as cursor, cursor.copy(f"COPY {quoted(scratch)} {names} FROM STDIN") as copy:
                rows = _rows(written, file)
                while lines := list(islice(rows, _LINES)):
                    copy.write(b"".join(lines))
                    count += len(lines)
            _drain(written)
        self._driver.execute(f"ANALYZE {quoted(scratch)}")
        return count

    def _reading(self, file: Path) -> list[str]:
        return [program("pg_restore"), "--data-only", "--file=-", str(file)]


def _columns(written: Any, file: Path) -> bytes:
    for line in written:
        if found := _COPY.fullmatch(line):
            return found[1]
    raise RetryableError(f"pg_restore finds no rows of a table in {file}", reason="BackupFailed")


def _rows(written: Any, file: Path) -> Iterator[bytes]:
    for line in written:
        if line == _END:
            return
        yield line
    raise RetryableError(f"pg_restore finds no end of the rows in {file}", reason="BackupFailed")


def _drain(written: Any) -> None:
    """A program whose output nobody reads does not end. Another table in it would be lost in silence."""
    for line in written:
        if _COPY.fullmatch(line):
            raise RetryableError("the file of pg_dump has more than one table", reason="BackupFailed")
