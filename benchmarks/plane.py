"""``python -m benchmarks.plane``: the embedded control plane under load, beside its floor, and beside kube-apiserver where KUBEBUILDER_ASSETS is set.

Prints a table: one column each, and how ours compares to the floor and to kube-apiserver (above 1: ours is better).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.plane_load import SHARDS, TABLE, connected, create, listed, patch

ROWS = {
    "start to ready, s": False,
    "create, objects/s": True,
    "list, ms": False,
    "list as a table, ms": False,
    "list by label, ms": False,
    "list by field, ms": False,
    "page of 500, ms": False,
    "memory then, MB": False,
    "patches/s": True,
    "patch p50, ms": False,
    "patch p99, ms": False,
    "event p50, ms": False,
    "event p99, ms": False,
    "processor, %": False,
    "memory at the end, MB": False,
}
"""What is measured, and whether more is better."""

Measured = dict[str, float]


@contextmanager
def serving(command: list[str]) -> Iterator[tuple[psutil.Process, str, float]]:
    """The process, its kubeconfig, and the seconds until it said that it is ready."""
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"{' '.join(command)} did not start")
            yield psutil.Process(process.pid), Path(json.loads(line)["kubeconfig"]).read_text(), time.perf_counter() - began
        finally:
            process.terminate()


def family(process: psutil.Process) -> list[psutil.Process]:
    """The process and those below it."""
    return [process, *process.children(recursive=True)]


def megabytes(process: psutil.Process) -> float:
    """Resident memory of the family."""
    return float(sum(one.memory_info().rss for one in family(process)) / 2**20)


def processor(process: psutil.Process) -> float:
    """Seconds of processor time so far, of the family."""
    return float(sum(sum(one.cpu_times()[:2]) for one in family(process)))


async def measure(process: psutil.Process, kubeconfig: str, options: argparse.Namespace) -> Measured:
    """Everything but the start."""
    found: Measured = {}
    async with connected(kubeconfig) as session:
        count = options.sources
        found["create, objects/s"] = await create(session, count)
        found["list, ms"] = await listed(session, count)
        if not options.is_floor:
            found["list as a table, ms"] = await listed(session, count, headers=TABLE)
        found["list by label, ms"] = await listed(session, count // SHARDS, labelSelector="shard=7")
        found["list by field, ms"] = await listed(session, 1, fieldSelector="metadata.name=s00007")
        found["page of 500, ms"] = await listed(session, min(500, count), limit="500")
        found["memory then, MB"] = megabytes(process)
        before, began = processor(process), time.perf_counter()
        patched = await patch(session, count, options.rate, options.seconds, options.watches)
        found["processor, %"] = (processor(process) - before) / (time.perf_counter() - began) * 100
    found |= {"patches/s": patched.rate, "memory at the end, MB": megabytes(process)}
    for name, latencies in (("patch", patched.patches), ("event", patched.events)):
        found |= {f"{name} p50, ms": latencies.ms(0.5), f"{name} p99, ms": latencies.ms(0.99)}
    return found


def contenders(folder: Path) -> dict[str, list[str]]:
    """Their modules and arguments; each has a fresh folder."""
    found = {"floor": ["benchmarks.plane_floor"], "syncsource": ["syncsource.localplane"]}
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets:
        found["kube-apiserver"] = ["syncsource.standalone.assets", "--assets", assets]
    return {name: [*command, "--child", "--dir", str(folder / name)] for name, command in found.items()}


def show(found: dict[str, Measured]) -> None:
    """The table."""
    others = [name for name in found if name != "syncsource"]
    print(f"\n{'':24}" + "".join(f"{name:>16}" for name in found) + "".join(f"{f'to {name}':>18}" for name in others))
    for row, more in ROWS.items():
        cells = "".join(f"{one[row]:>16,.2f}" if row in one else f"{'-':>16}" for one in found.values())
        print(f"{row:24}{cells}" + "".join(f"{_ratio(found, row, name, more):>18}" for name in others), flush=True)


def _ratio(found: dict[str, Measured], row: str, other: str, more: bool) -> str:
    ours, theirs = found["syncsource"].get(row), found[other].get(row)
    if not ours or not theirs:
        return "-"
    return f"{ours / theirs if more else theirs / ours:.2f}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=300, help="status patches per second")
    parser.add_argument("--seconds", type=float, default=30.0, help="of patches")
    parser.add_argument("--watches", type=int, default=20)
    options = parser.parse_args()
    found: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        for contender, command in contenders(Path(name)).items():
            options.is_floor = contender == "floor"
            print(f"{contender} …", file=sys.stderr, flush=True)
            with serving(command) as (process, kubeconfig, seconds):
                found[contender] = {"start to ready, s": seconds, **asyncio.run(measure(process, kubeconfig, options))}
    print(
        f"{options.sources:,} SyncSources; {options.rate} status patches per second for {options.seconds:g} s with {options.watches} watches"
    )
    show(found)


if __name__ == "__main__":
    main()
