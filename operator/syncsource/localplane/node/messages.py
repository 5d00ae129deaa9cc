"""What a container leaves behind as its last words."""

from __future__ import annotations

from pathlib import Path

from syncsource.localplane.node.api import Object

LONGEST = 4096
LONGEST_OF_LOG, LINES_OF_LOG = 2048, 80


def of_end(spec: Object, file: Path, log: Path, code: int) -> str:
    """The termination message: what is in the container's file, else where its policy says so the end of its log."""
    text = _head(file)
    if not text and code and spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
        text = _last_lines(log)
    return text.decode(errors="replace").replace("\0", "�")


def _head(file: Path) -> bytes:
    try:
        if not file.is_file() or file.is_symlink():
            return b""
        with file.open("rb") as opened:
            return opened.read(LONGEST)
    except OSError:
        return b""


def _last_lines(log: Path) -> bytes:
    """Texts of a log's last lines, as long as a message may be."""
    try:
        with log.open("rb") as opened:
            size = opened.seek(0, 2)
            opened.seek(max(size - 64 * 1024, 0))
            block = opened.read()
    except OSError:
        return b""
    lines = block.split(b"\n")[-LINES_OF_LOG - 1 :]
    return b"".join(_text(line) for line in lines)[-LONGEST_OF_LOG:]


def _text(line: bytes) -> bytes:
    _, _, rest = line.partition(b" ")
    _, _, rest = rest.partition(b" ")
    tag, _, text = rest.partition(b" ")
    return text + (b"\n" if tag == b"F" else b"")
