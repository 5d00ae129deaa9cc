"""Named places in a run at which a test ends or stops the process, to see what becomes of the run.

Nothing happens unless the environment variable SYNCSOURCE_FAILPOINTS names a folder. There, a file with the name of a place says what happens at
its next hit, in whichever process that is:

    kill        SIGKILL, sent to itself
    stop        SIGSTOP, sent to itself; SIGCONT lets it go on
    kill 3      the same at the third hit from now, counted over all processes

The file is taken first, so that it fires once. Places: after-page, after-stage, before-commit and after-commit in a worker;
before-status and after-status in the operator.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

VARIABLE = "SYNCSOURCE_FAILPOINTS"
"""The environment variable that names the folder."""

_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
_folder = os.environ.get(VARIABLE) or None


def hit(name: str) -> None:
    """The process is at that place. ValueError where the folder's file says something else than the above."""
    if _folder is not None:
        _at(Path(_folder, name))


def _at(file: Path) -> None:
    taken = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        file.rename(taken)
    except FileNotFoundError:
        return
    action, left = _parsed(taken.read_text())
    if left > 1:
        taken.write_text(f"{action} {left - 1}")
        taken.rename(file)
        return
    taken.unlink()
    signal.pthread_kill(threading.get_ident(), _SIGNALS[action])  # to this thread: SIGSTOP to the process might reach another one first


def _parsed(text: str) -> tuple[str, int]:
    """What happens, and at which hit from now."""
    action, _, count = text.strip().partition(" ")
    if action not in _SIGNALS or not (count or "1").isdecimal():
        raise ValueError(f"a failpoint's file says {text!r}: it must say kill or stop, and may add at which hit")
    return action, int(count or 1)
