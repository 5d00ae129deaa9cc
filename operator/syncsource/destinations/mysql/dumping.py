"""A table of MySQL or MariaDB in a file of statements, which people can read and run without us, too."""

from __future__ import annotations

import re
import shutil
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from syncsource.destinations.dumps.programs import Programs, program
from syncsource.destinations.quoting import quoted
from syncsource.destinations.table import Layout
from syncsource.errors import RetryableError, SchemaMismatch

_OPTIONS = (
    "--single-transaction",
    "--quick",
    "--skip-lock-tables",
    "--skip-add-locks",
    "--skip-add-drop-table",
    "--skip-triggers",
    "--no-tablespaces",
    "--hex-blob",
    "--complete-insert",
    "--extended-insert",
    "--default-character-set=utf8mb4",
    "--net-buffer-length=1M",
    "--max-allowed-packet=1G",
)
_ORACLES = ("--set-gtid-purged=OFF", "--column-statistics=0")
"""What MySQL's own program needs besides, where the user may do no more than read the table."""
_COMPLETED = b"-- Dump completed"
_TEXTS = re.compile(rb"'(?:[^'\\]++|\\.)*+'", re.DOTALL)


class MySqlDumping:
    """By mariadb-dump or mysqldump, on a connection of its own."""

    ending = ".sql"

    def __init__(self, driver: Any, programs: Programs) -> None:
        self._driver, self._programs = driver, programs

    def check(self) -> None:
        self._program()

    def check_table(self, layout: Layout) -> None:
        """These programs write six digits of a FLOAT, and no generated column."""
        for found in layout.columns:
            if found.base == "float":
                raise SchemaMismatch(
                    f"the column {found.name!r} of {layout.name!r} is a FLOAT, whose last digits a file of mariadb-dump or mysqldump lacks: make "
                    f"it a DOUBLE, or use spec.safety.backup.mode Table"
                )
            if found.generated and found.name in layout.primary:
                raise SchemaMismatch(
                    f"the table {layout.name!r} has a generated column in its primary key, so that a file can't bring it back: use "
                    f"spec.safety.backup.mode Table"
                )

    def dump(self, layout: Layout, file: Path) -> None:
        path = self._program()
        with self._programs.output([path, "--version"]) as told:
            oracle = b"MariaDB" not in told.read()
        with _defaults(_settings(self._driver, oracle=oracle)) as defaults:
            own = _ORACLES if oracle else ()
            command = [path, f"--defaults-file={defaults}", *_OPTIONS, *own, "--", str(layout.schema), layout.name]
            with self._programs.output(command) as written, file.open("wb") as stream:
                shutil.copyfileobj(written, stream, 1 << 20)

    def rows(self, layout: Layout, file: Path) -> int:
        return sum(_count(values) for _, values in self._inserts(layout.name, file))

    def load(self, file: Path, table: str, columns: Sequence[str], lacking: Sequence[str], scratch: str) -> int:
        """What stood in columns that are gone is read as bytes, which take anything."""
        count = 0
        with self._driver.cursor() as cursor:
            for name in lacking:
                cursor.execute(f"ALTER TABLE {quoted(scratch)} ADD COLUMN {quoted(name)} longblob")
            cursor.execute("BEGIN")
            for statement, values in self._inserts(table, file):
                cursor.execute(f"INSERT INTO {quoted(scratch)} (".encode() + statement)
                count += _count(values)
            cursor.execute("COMMIT")
        return count

    def _inserts(self, table: str, file: Path) -> Iterator[tuple[bytes, bytes]]:
        """What follows the first bracket of each INSERT, and the values in it. Ends of lines in texts are escaped, so that the others tell how the
        file is made: MariaDB's program writes a line for each row, MySQL's one for each statement."""
        start, completed = f"INSERT INTO `{table.replace('`', '``')}` (".encode(), False
        statement: list[bytes] = []
        with file.open("rb") as stream:
            for line in stream:
                self._programs.check()
                if statement or line.startswith(start):
                    statement.append(line)
                    if line.endswith(b");\n"):
                        whole = b"".join(statement)[len(start) :].removesuffix(b";\n")
                        yield whole, whole.partition(b") VALUES")[2]
                        statement = []
                completed = line.startswith(_COMPLETED)
        if statement or not completed:
            raise RetryableError(f"{file.name} has no end: the program that wrote it was cut off", reason="BackupFailed")

    def _program(self) -> str:
        mariadb = "MariaDB" in self._driver.get_server_info()
        return program(*(("mariadb-dump", "mysqldump") if mariadb else ("mysqldump", "mariadb-dump")))


def _count(values: bytes) -> int:
    """Rows: brackets outside of texts, since nothing else in them has any."""
    return _TEXTS.sub(b"", values).count(b"(")


def _settings(driver: Any, *, oracle: bool) -> dict[str, str]:
    """How the driver is connected, in the words of the programs: TLS where it has it, and no weaker."""
    given, socket = driver.given, driver.given.get("unix_socket")
    place = (
        {"socket": socket, "protocol": "socket"} if socket else {"host": given.get("host"), "port": given.get("port"), "protocol": "tcp"}
    )
    named = {
        **place,
        "user": given.get("user"),
        "password": _text(given.get("password")),
        "ssl-ca": given.get("ssl_ca"),
        "ssl-cert": given.get("ssl_cert"),
        "ssl-key": given.get("ssl_key"),
    }
    encrypted, verified = isinstance(driver._sock, ssl.SSLSocket), bool(given.get("ssl_verify_cert") or given.get("ssl_verify_identity"))
    if oracle:
        tls = {"ssl-mode": ("VERIFY_IDENTITY" if given.get("ssl_verify_identity") else "VERIFY_CA" if verified else "REQUIRED")}
        tls = tls if encrypted else {"ssl-mode": "DISABLED", "get-server-public-key": "1"}
    else:
        tls = {"ssl": str(int(encrypted)), "ssl-verify-server-cert": str(int(encrypted and verified))}
    return {**{name: str(value) for name, value in named.items() if value is not None}, **tls}


@contextmanager
def _defaults(settings: dict[str, str]) -> Iterator[Path]:
    """A file that only this user can read, which is gone after the block."""
    with tempfile.TemporaryDirectory(prefix="syncsource-") as folder:
        file = Path(folder, "client.cnf")
        file.touch(mode=0o600)
        file.write_text("[client]\n" + "".join(f"{name}={_quoted(value)}\n" for name, value in settings.items()))
        yield file


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return f'"{escaped}"'


def _text(password: bytes | str | None) -> str | None:
    return password.decode() if isinstance(password, bytes) else password
