"""A process between the node and one container: it starts the container, tells how it ended, and lets nothing of it outlive the node.

Run as a script, without the package, so that it starts at once. Its standard input is a socket of the node's: it reads a JSON
line of what to run, then TERM and KILL; it writes a JSON line when the container has started or could not, and one when it has
ended. The socket's end is the node's: everything is killed. How the container ended is also in the file that is named first;
the second argument is a descriptor that is held open for as long as anything runs.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import sys
import time
from typing import Any

_PDEATHSIG, _SUBREAPER = 1, 36
_IS_LINUX = sys.platform == "linux"
Object = dict[str, Any]


def main() -> None:
    result, held = sys.argv[1], int(sys.argv[2])
    os.set_inheritable(held, False)
    os.set_inheritable(0, False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    lines = _Lines()
    asked = lines.wait()
    if asked is None:
        return
    _control(_SUBREAPER, 1)
    woken = _wake_on_children()
    pid, wrong = _start(json.loads(asked))
    _drop_output()
    if wrong:
        os.waitpid(pid, 0)
        _tell(result, wrong)
        return
    _say({"started": pid})
    status = _attend(pid, lines, woken)
    _kill_all()
    _tell(result, {"ended": os.waitstatus_to_exitcode(status), "at": time.time()})


def _start(asked: Object) -> tuple[int, Object]:
    """The container's first process, and what was wrong where it did not start."""
    reading, writing = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            _become(asked, parent)
        except OSError as error:
            os.write(writing, json.dumps({"failed": _why(error, asked)}).encode())
        except ValueError as error:
            os.write(writing, json.dumps({"failed": f"an argument or a variable can't be passed on: {error}"}).encode())
        finally:
            os._exit(128)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        text = told.read()
    return pid, json.loads(text) if text else {}


def _become(asked: Object, parent: int) -> None:
    os.setsid()
    _control(_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(128)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(asked["folder"])
    os.execvpe(asked["command"][0], asked["command"], asked["environment"])


def _why(error: OSError, asked: Object) -> str:
    if error.filename == asked["folder"]:
        return f"workingDir {asked['folder']!r}: {os.strerror(error.errno or 0).lower()}"
    program = json.dumps(asked["command"][0])
    if error.errno == errno.ENOENT and "/" not in asked["command"][0]:
        return f"exec: {program}: executable file not found in $PATH"
    return f"exec: {program}: {os.strerror(error.errno or 0).lower()}"


def _attend(pid: int, lines: _Lines, woken: int) -> int:
    """How the first process ended; orphans of the container are taken care of meanwhile."""
    while True:
        readable, _, _ = select.select([0, woken], [], [])
        if woken in readable:
            os.read(woken, 4096)
            status = _reap(pid)
            if status is not None:
                return status
        if 0 in readable:
            for line in lines.read():
                if line == b"TERM":
                    _signal_group(pid, signal.SIGTERM)
                elif line == b"KILL":
                    lines.is_over = True
            if lines.is_over:
                _signal_group(pid, signal.SIGKILL)
                return _kill_all(pid)


def _reap(pid: int) -> int | None:
    found = None
    with contextlib.suppress(ChildProcessError):
        while True:
            ended, status = os.waitpid(-1, os.WNOHANG)
            if ended == 0:
                break
            if ended == pid:
                found = status
    return found


def _kill_all(pid: int = 0) -> int:
    """Kill every process below this one, those too that left the group; how the process `pid` ended."""
    found = int(signal.SIGKILL)
    while True:
        for child in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        try:
            ended, status = os.waitpid(-1, 0)
        except ChildProcessError:
            return found
        if ended == pid:
            found = status


def _children() -> list[int]:
    if not _IS_LINUX:
        return []
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _wake_on_children() -> int:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading


def _control(option: int, value: int) -> None:
    if _IS_LINUX:
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _drop_output() -> None:
    """What the container writes ends with the container."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)


def _say(told: Object) -> None:
    with contextlib.suppress(OSError):
        os.write(0, json.dumps(told).encode() + b"\n")


def _tell(path: str, told: Object) -> None:
    with contextlib.suppress(OSError):
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(told, file)
        os.replace(path + ".new", path)
    _say(told)


class _Lines:
    """Lines from the node."""

    def __init__(self) -> None:
        self._rest = b""
        self.is_over = False

    def read(self) -> list[bytes]:
        """Those that are there; at least one read is made."""
        data = b""
        with contextlib.suppress(ConnectionError):
            data = os.read(0, 2**16)
        self.is_over = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines

    def wait(self) -> bytes | None:
        """The first line; None where none comes."""
        while not self.is_over:
            lines = self.read()
            if lines:
                return lines[0]
        return None


if __name__ == "__main__":
    main()
