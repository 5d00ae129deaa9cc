"""Programs of the database's own, as child processes that end when the run does. None gets a secret on its command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO

from syncsource.errors import AbortedError, PermanentError, RetryableError, outside_text


def program(*names: str) -> str:
    """The path of the first that this machine has. PermanentError (ProgramNotFound): ``names`` are wanted."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise PermanentError(
            f"spec.safety.backup with mode File needs the program {' or '.join(names)}, which is not on the PATH of the process that runs "
            f"this: install it there, or use mode Table",
            reason="ProgramNotFound",
        )
    return found


class Programs:
    """The children of one connection's work: :meth:`cancel` ends them, and those that would follow, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._cancelled = False

    def cancel(self) -> None:
        """What runs here ends, with AbortedError where it is waited for."""
        with self._lock:
            self._cancelled = True
            if self._running is not None:
                self._running.kill()

    def check(self) -> None:
        """AbortedError where it was cancelled."""
        if self._cancelled:
            raise AbortedError("cancelled while it copied the table to a file: nothing of it was committed", reason="Cancelled")

    @contextmanager
    def output(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Iterator[IO[bytes]]:
        """What a program writes, to be read to its end. RetryableError (BackupFailed) where it fails, in its own words.

        Its output is a pipe, so that it ends where this process is killed.
        """
        with tempfile.TemporaryFile() as errors:
            child = self._started(command, environment or {}, errors)
            try:
                assert child.stdout is not None
                yield child.stdout
                code = child.wait()
            finally:
                self._end(child)
            self.check()
            if code != 0:
                raise RetryableError(f"{os.path.basename(command[0])} failed: {_words(errors, code)}", reason="BackupFailed")

    def _started(self, command: Sequence[str], environment: Mapping[str, str], errors: IO[bytes]) -> subprocess.Popen[bytes]:
        with self._lock:
            self.check()
            try:
                child = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env={**os.environ, "LC_ALL": "C", **environment},
                    bufsize=1 << 20,
                )
            except OSError as error:
                raise PermanentError(f"{command[0]} can't be started: {error.strerror}", reason="ProgramNotFound") from error
            self._running = child
            return child

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._running = None
            with suppress(ProcessLookupError):
                child.kill()
        if child.stdout is not None:
            child.stdout.close()
        child.wait()


def _words(errors: IO[bytes], code: int) -> str:
    errors.seek(0)
    lines = [line for line in errors.read(1 << 16).decode(errors="replace").splitlines() if line.strip()]
    return outside_text("; ".join(lines[:3]), 400) or f"it ended with code {code}"
