"""``syncsource tui`` as a process on a terminal: what it writes, byte by byte, and how it leaves."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.requiring import unavailable
from tests.tui.stage import Stage, condition, ready

PROGRAM = str(Path(sys.executable).with_name("syncsource"))
ATTACK = "before\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b31m after"
SECONDS = 30


class Terminal:
    """A pseudo-terminal of 80 columns and 24 lines, and the program on it."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._screen, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        clean = {name: value for name, value in os.environ.items() if name not in ("KUBECONFIG", "NO_COLOR", "COLORTERM")}
        env = {**clean, "TERM": "xterm-256color", **environment}
        self.process = subprocess.Popen(
            [PROGRAM, "tui", *arguments], stdin=inside, stdout=inside, stderr=inside, env=env, start_new_session=True
        )
        os.close(inside)
        self.written = b""

    async def until(self, text: bytes) -> None:
        """Wait until the program has written this. AssertionError where it does not."""
        loop, ends = asyncio.get_running_loop(), time.monotonic() + SECONDS
        while text not in self.written:
            assert time.monotonic() < ends, f"{text!r} was not written; the last: {self.written[-2000:]!r}"
            with contextlib.suppress(BlockingIOError):
                self.written += await loop.run_in_executor(None, self._read)

    def _read(self) -> bytes:
        try:
            return os.read(self._screen, 65536)
        except OSError:
            return b""

    def send(self, keys: bytes) -> None:
        os.write(self._screen, keys)

    async def end(self) -> int:
        """Wait for its end, reading what it still writes."""
        loop = asyncio.get_running_loop()
        while chunk := await loop.run_in_executor(None, self._read):
            self.written += chunk
        return await loop.run_in_executor(None, self.process.wait)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self._screen)


@contextlib.contextmanager
def terminal(*arguments: str, **environment: str) -> Iterator[Terminal]:
    started = Terminal(*arguments, **environment)
    try:
        yield started
    finally:
        started.close()


async def test_what_is_written_holds_nothing_of_the_upstream_but_text(loose: Stage) -> None:
    await loose.create("orders", ready(conditions=[condition("Ready", "False", "Failed", ATTACK)], cursor=ATTACK))
    with terminal("--kubeconfig", loose.kubeconfig) as screen:
        await screen.until(b"before after")
        screen.send(b"\r")
        await screen.until(b"Conditions")
        screen.send(b"5")
        await screen.until(b"resourceVersion")
        screen.send(b"\x11")
        assert await screen.end() == 0
    written = screen.written.replace(b"\x1b]22;default\x07", b"")  # Textual asks for the usual pointer
    for sequence in (b"\x1b]52", b"\x07", b"ZXZpbA", b"\x9b31m", "\x9b".encode()):
        assert sequence not in written, sequence
    assert b"\x1b[?1049l" in screen.written


async def test_without_colours(stage: Stage) -> None:
    await stage.create("orders", ready())
    with terminal("--kubeconfig", stage.kubeconfig, NO_COLOR="1") as screen:
        await screen.until("✓ Ready".encode())
        screen.send(b"\x11")
        assert await screen.end() == 0
    assert b"38;5;" not in screen.written
    assert b"48;5;" not in screen.written
    assert b"38;2;" not in screen.written


async def test_ascii_only(stage: Stage) -> None:
    await stage.create("orders", ready())
    with terminal("--kubeconfig", stage.kubeconfig, "--ascii") as screen:
        await screen.until(b"+ Ready")
        screen.send(b"T")
        await screen.until(b"Cancel")
        screen.send(b"\x1b")
        screen.send(b"\x11")
        assert await screen.end() == 0
    assert screen.written.isascii()


@pytest.mark.parametrize("arguments", [("-A", "-n", "x"), ("--nonsense",)])
def test_what_can_not_be_meant_is_refused(arguments: tuple[str, ...]) -> None:
    done = subprocess.run([PROGRAM, "tui", *arguments], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 2
    assert "Error" in done.stderr


async def test_in_tmux(stage: Stage, tmp_path: Path) -> None:
    """A terminal that others wrote draws what was meant."""
    tmux = shutil.which("tmux")
    if tmux is None:
        unavailable("tmux", "not installed")
    await stage.create("orders", ready())
    socket = tmp_path / "tmux"

    async def run(*arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            tmux, "-S", str(socket), *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        return (await process.communicate())[0].decode()

    async def until(text: str) -> list[str]:
        ends = time.monotonic() + SECONDS
        while text not in (screen := await run("capture-pane", "-p")):
            assert time.monotonic() < ends, screen
        return screen.split("\n")

    await run("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", f"{PROGRAM} tui --kubeconfig {stage.kubeconfig}")
    try:
        lines = await until("✓ Ready")
        assert lines[0].startswith(" syncsource ⟩ all namespaces   LIVE")
        assert lines[2].startswith("    NAME      STATUS         LAST   NEXT       MESSAGE")
        await run("send-keys", "T")
        lines = await until("Trigger orders")
        assert {line.rstrip()[-1] for line in lines if line.startswith("  │")} == {"│"}
        await run("send-keys", "y")
        await until("Requested")
        await stage.stop()
        lines = await until("no answer: 127.0.0.1:")
        assert "STALE" in lines[0]
        assert "orders" in "\n".join(lines)
        await stage.start()
        await until("LIVE")
    finally:
        await run("kill-server")
