"""A MariaDB of the system's package, for the time of some tests."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

from tests.requiring import unavailable

_STARTING = 60.0
"""Seconds that a server may take to answer."""


@contextmanager
def mariadb_server() -> Iterator[str]:
    """A fresh server with an empty database ``test``: the URL of its superuser. It listens on a port of 127.0.0.1 and a socket."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), free_port()) as uri:
        yield uri


@contextmanager
def running(folder: Path, port: int, *options: str) -> Iterator[str]:
    """The server whose data are in the folder, new or not, for the time of the block. ``options``: beside those that keep it small."""
    with serving(folder, port, *options) as server:
        yield server.uri


@contextmanager
def serving(folder: Path, port: int, *options: str) -> Iterator[Server]:
    """The same, for a test that kills it and starts it again."""
    server = Server(folder, port, *options)
    try:
        server.start()
        yield server
    finally:
        server.close()


class Server:
    """A server whose data are in ``folder``, new or not; it does not run yet."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        daemon = shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        if daemon is None:
            unavailable("mariadb", "mariadbd is not installed: it is in Debian's package mariadb-server")
        self._daemon, self._folder, self._port, self._options = daemon, folder, port, options
        self._process: subprocess.Popen[bytes] | None = None
        self.uri = f"mysql://root@127.0.0.1:{port}/test?unix_socket={folder}/s"

    def start(self) -> None:
        """Returns once it answers; at the same address each time."""
        data = self._folder / "data"
        if not data.exists():
            _create(data)
        self._process = self._started()
        _wait(self._process, self._folder)

    def kill(self) -> None:
        """SIGKILL, as the machine's power does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Ends it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def _started(self) -> subprocess.Popen[bytes]:
        folder = self._folder
        command = [self._daemon, "--no-defaults", f"--datadir={folder}/data", f"--socket={folder}/s", f"--port={self._port}"]
        options = ["--bind-address=127.0.0.1", "--skip-name-resolve", f"--pid-file={folder}/pid", f"--tmpdir={folder}"]
        small = [f"--user={getpass.getuser()}", *_SMALL, "--innodb-flush-log-at-trx-commit=0"]
        with (folder / "log").open("ab") as log:
            return subprocess.Popen([*command, *options, *small, *self._options], stdout=log, stderr=log)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _create(data: Path) -> None:
    command = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", f"--user={getpass.getuser()}", *_SMALL]
    options = ["--auth-root-authentication-method=normal", "--skip-name-resolve", "--skip-test-db"]
    subprocess.run([*command, *options], check=True, capture_output=True)


_SMALL = ("--innodb-log-file-size=16M", "--innodb-buffer-pool-size=64M")


def _wait(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Until it answers: nothing tells of that but the socket."""
    deadline = time.monotonic() + _STARTING
    while not _listens(folder):
        if process.poll() is not None or time.monotonic() > deadline:
            said = (folder / "log").read_text(errors="replace").strip().splitlines()[-5:]
            raise RuntimeError(f"mariadbd does not start: {said}")
        time.sleep(0.05)
    with pymysql.connect(unix_socket=f"{folder}/s", user="root", ssl_disabled=True) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS test CHARACTER SET utf8mb4")


def _listens(folder: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(f"{folder}/s") == 0
