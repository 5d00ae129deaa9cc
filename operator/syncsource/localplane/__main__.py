"""`python -m syncsource.localplane --dir DIR [--port N] [--child]`: serve until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from syncsource.localplane import LocalPlane
from syncsource.localplane.parent import when_parent_ends
from syncsource.localplane.statefiles import AlreadyRunning
from syncsource.localplane.storage.schema import UnusableStore
from syncsource.localplane.storage.store import WriteFailed


async def serve(folder: Path, port: int, child: bool) -> None:
    plane = LocalPlane(folder, port=port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if child:
        when_parent_ends(stop.set)
    await plane.start()
    try:
        print(json.dumps({"ready": True, "url": plane.url, "kubeconfig": str(plane.kubeconfig.resolve())}), flush=True)
        await stop.wait()
    finally:
        await plane.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m syncsource.localplane", description="An embedded Kubernetes API server.")
    parser.add_argument("--dir", type=Path, required=True, help="the state folder: database, certificates, token, kubeconfig")
    parser.add_argument("--port", type=int, default=0, help="default: the port of last time if it is free, else any free one")
    parser.add_argument("--child", action="store_true", help="also end when standard input does: when the parent process is gone")
    options = parser.parse_args()
    try:
        asyncio.run(serve(options.dir, options.port, options.child))
    except (AlreadyRunning, UnusableStore, WriteFailed) as refused:
        print(f"error: {refused}", file=sys.stderr)
        return 1
    except OSError as failed:
        print(f"error: cannot serve from {options.dir}: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
