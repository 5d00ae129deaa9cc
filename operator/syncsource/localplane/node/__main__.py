"""`python -m syncsource.localplane.node --kubeconfig FILE --state DIR --image NAME=COMMAND …`: a node until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import platform
import signal
import sys
from pathlib import Path

from syncsource.localplane.node.api import Api
from syncsource.localplane.node.images import parse_images
from syncsource.localplane.node.node import Node, Options
from syncsource.localplane.node.processes import lock
from syncsource.localplane.parent import when_parent_ends

LOCKED_WITHIN = 10.0
"""Seconds until what a node before this one ran must have ended."""


async def serve(api: Api, options: Options, child: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if child:
        when_parent_ends(stop.set)
    node = Node(api, options)
    await node.start()
    print(json.dumps({"ready": True, "node": options.name}), flush=True)
    try:
        await stop.wait()
    finally:
        await node.stop()


def main() -> int:
    options = _parser().parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        options.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        images, api = parse_images(options.image), Api.of(options.kubeconfig)
        held = lock(options.state / "node.lock", LOCKED_WITHIN)
    except BlockingIOError:
        print(f"error: another node runs with {options.state}, or a container of it can't be ended", file=sys.stderr)
        return 1
    except (OSError, ValueError) as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return 1
    chosen = Options(
        options.name, options.state.resolve(), images, held, options.container_backoff, options.job_backoff, options.log_certificates
    )
    try:
        asyncio.run(serve(api, chosen, options.child))
    except OSError as failed:
        print(f"error: logs can't be served with the certificates in {options.log_certificates}: {failed}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m syncsource.localplane.node", description="A Kubernetes node that is this machine.")
    parser.add_argument("--kubeconfig", type=Path, required=True, help="the API server and who to be there: an administrator")
    parser.add_argument("--state", type=Path, required=True, help="folder for logs and what Pods leave; the embedded API server's own")
    parser.add_argument("--image", action="append", default=[], metavar="NAME=COMMAND", help="an image's name and the command that it is")
    parser.add_argument("--name", default=platform.node().lower() or "node", help="the node's name; default: the host's")
    parser.add_argument(
        "--container-backoff",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="before a container's third start; doubled for each after it",
    )
    parser.add_argument(
        "--job-backoff", type=float, default=10.0, metavar="SECONDS", help="after a Job's first failure; doubled for each after it"
    )
    parser.add_argument(
        "--log-certificates", type=Path, metavar="DIR", help="serve logs to who has a certificate of DIR/ca.crt, with DIR/server.crt"
    )
    parser.add_argument("--child", action="store_true", help="also end when standard input does: when the parent process is gone")
    return parser


if __name__ == "__main__":
    sys.exit(main())
