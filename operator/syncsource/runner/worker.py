"""A worker process: executes plans in threads, as many at a time as it is given. ``python -m syncsource.runner.worker LOG_LEVEL``.

It ends when its standard input does: an operator that dies takes its workers along.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, BinaryIO

from syncsource.engine.acting import act
from syncsource.engine.executing import execute, settle
from syncsource.engine.measuring import measure
from syncsource.engine.plan import Outcome, Progress, RunPlan
from syncsource.engine.stopping import Stop
from syncsource.resource.syncrun import SyncRunSpec
from syncsource.runner import wire
from syncsource.runner.collecting import collect_after_run, collect_rarely
from syncsource.runner.logs import Forwarding, about
from syncsource.sources.hosts import Hosts
from syncsource.sources.hosts.messages import Answer, Question

PROGRESS_EVERY = 1.0
"""Seconds between two reports of one run's progress."""


class Worker:
    """Reads messages from ``inlet`` and writes them to ``outlet``, one line each."""

    def __init__(self, inlet: BinaryIO, outlet: BinaryIO) -> None:
        self._inlet, self._outlet = inlet, outlet
        self._writing = threading.Lock()
        self._stops: dict[str, Stop] = {}
        self._numbers = itertools.count()
        self._waiting: dict[int, SimpleQueue[Answer | None]] = {}

    def serve(self) -> None:
        """Until the inlet ends; then every run is stopped."""
        for line in self._inlet:
            self._take(wire.to_worker.decode(line))
        for stop in list(self._stops.values()):
            stop()

    def _take(self, message: wire.ToWorker) -> None:
        match message:
            case wire.Execute(plan):
                self._stops[plan.run] = stop = Stop()
                self._start(plan.run, partial(self._execute, plan, stop))
            case wire.Verify(plan):
                self._stops[plan.run] = stop = Stop()
                self._start(plan.run, partial(self._verify, plan, stop))
            case wire.Act(plan, asked):
                self._stops[plan.run] = stop = Stop()
                self._start(plan.run, partial(self._act, plan, asked, stop))
            case wire.Settle(plan):
                self._start(plan.run, partial(self._settle, plan))
            case wire.Cancel(run):
                if run in self._stops:
                    self._stops[run]()
            case wire.Reply(number, answer):
                self._waiting.pop(number).put(answer)

    def _start(self, run: str, work: Callable[[], Outcome]) -> None:
        def live() -> None:
            self._send(wire.Ended(work()))
            collect_after_run()

        threading.Thread(target=live, name=f"run-{run}", daemon=True).start()

    def _execute(self, plan: RunPlan, stop: Stop) -> Outcome:
        try:
            with about(plan):
                return execute(plan, hosts=self._hosts(plan, stop), stop=stop, progress=self._reporter(plan.run))
        finally:
            del self._stops[plan.run]

    def _verify(self, plan: RunPlan, stop: Stop) -> Outcome:
        try:
            with about(plan):
                return measure(plan, hosts=self._hosts(plan, stop), stop=stop)
        finally:
            del self._stops[plan.run]

    def _act(self, plan: RunPlan, asked: dict[str, Any], stop: Stop) -> Outcome:
        try:
            with about(plan):
                return act(plan, SyncRunSpec.model_validate(asked), hosts=self._hosts(plan, stop), stop=stop)
        finally:
            del self._stops[plan.run]

    def _hosts(self, plan: RunPlan, stop: Stop) -> Hosts:
        return Hosts(partial(self._ask, stop), lambda note: self._send(wire.Tell(note)), stop.event, link_local=plan.link_local)

    def _settle(self, plan: RunPlan) -> Outcome:
        with about(plan):
            return settle(plan)

    def _ask(self, stop: Stop, question: Question) -> Answer:
        number, answers = next(self._numbers), SimpleQueue[Answer | None]()
        self._waiting[number] = answers
        self._send(wire.Ask(number, question))
        with stop.calling(partial(answers.put, None)):
            stop.check()
            answer = answers.get()
        if answer is None:
            stop.check()
        assert answer is not None
        return answer

    def _reporter(self, run: str) -> Callable[[Progress], None]:
        last = 0.0

        def report(progress: Progress) -> None:
            nonlocal last
            if time.monotonic() - last >= PROGRESS_EVERY:
                last = time.monotonic()
                self._send(wire.Moved(run, progress))

        return report

    def forward_log(self, level: int) -> None:
        """Send what this process logs from now on."""
        logging.basicConfig(level=max(level, logging.WARNING), handlers=[Forwarding(self._send)], force=True)
        logging.getLogger("syncsource").setLevel(level)

    def _send(self, message: wire.FromWorker) -> None:
        with self._writing, contextlib.suppress(BrokenPipeError):
            self._outlet.write(wire.line(message))
            self._outlet.flush()


def main() -> None:
    """Serve on standard input and output. What anything prints goes to standard error instead."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the operator says when to stop
    collect_rarely()
    outlet = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    worker = Worker(sys.stdin.buffer, outlet)
    worker.forward_log(int(sys.argv[1]))
    worker.serve()
    os._exit(0)  # runs were told to stop; what they have not committed is gone with their connections


if __name__ == "__main__":
    main()
