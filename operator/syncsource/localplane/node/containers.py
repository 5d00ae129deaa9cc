"""A container's life: configured, started, restarted by its policy, and ended when its Pod ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from syncsource.localplane import podlogs
from syncsource.localplane.node import clock, messages, processes
from syncsource.localplane.node.api import ApiFailed, Object
from syncsource.localplane.node.ending import Ending, first
from syncsource.localplane.node.environment import NotConfigured, expand
from syncsource.localplane.node.processes import Command, Ended, Running
from syncsource.localplane.node.room import Room
from syncsource.localplane.node.statuses import ContainerState

LONGEST_BACKOFF = 300.0
"""Seconds between two starts at most."""
LASTED = 600.0
"""Seconds after which a container that ends has not failed at its start: the waits begin anew."""
_CONFIG_AGAIN = (0.5, 10.0)
"""Seconds until a Secret that was missing is looked for again: at first, and at most."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What all containers of a node have in common. `held`: a descriptor that stays open as long as one runs."""

    state: Path
    held: int
    backoff: float
    """Seconds before a container is started for the third time; doubled for each start after it."""


class Container:
    """One container of a Pod. `changed` is called whenever its state is another; `tell` makes an Event of reason and message."""

    def __init__(
        self,
        room: Room,
        spec: Object,
        policy: str,
        settings: Settings,
        changed: Callable[[], None],
        tell: Callable[..., None],
        *,
        initial: bool,
    ) -> None:
        self._room, self._spec, self._policy, self._settings = room, spec, policy, settings
        self._changed, self._tell = changed, tell
        self.name: str = spec["name"]
        self.state = ContainerState(self.name, spec["image"], room.uid, is_initial=initial)
        self._crashes = 0
        self._began, self._ended = clock.stamp(), clock.now()

    def recover(self, known: Object | None) -> None:
        """Take up what an earlier node left: its records of starts and ends come first, then what the API was told."""
        starts = podlogs.restarts(self._room.log_folder(self.name))
        if starts:
            self.state.restarts = starts[-1]
            self.state.state = self._left_behind(starts[-1], known)
            if len(starts) > 1:
                self.state.last = (known or {}).get("lastState") or self._left_behind(starts[-2], None)
            self._crashes = starts[-1] + 1
        elif known and (known.get("state") or {}).keys() & {"running", "terminated"}:
            self.state.restarts, self.state.last = known.get("restartCount") or 0, known.get("lastState") or {}
            self.state.state = known["state"] if "terminated" in known["state"] else self._terminated(_lost(), _began(known))
        if self.state.ended is not None and self.state.ended.get("finishedAt"):
            self._ended = clock.read(self.state.ended["finishedAt"])

    async def live(self, ending: Ending) -> None:
        """Until it has ended for good."""
        while not ending.is_set and await self._may_start(ending):
            running = await self._start(ending)
            if running is not None:
                await self._attend(running, ending)

    # -- starting

    async def _may_start(self, ending: Ending) -> bool:
        """Whether it is to start now: for the first time, or again after its back-off."""
        if self.state.ended is None:
            return True
        if self._policy == "Never" or (self._policy == "OnFailure" and self.state.succeeded):
            return False
        self.state.last = self.state.state
        wait = self._backoff() - (clock.now() - self._ended).total_seconds()
        if wait > 0:
            text = f"back-off {self._backoff():g}s restarting failed container={self.name} pod={self._room.title}"
            self._wait("CrashLoopBackOff", text)
            self._tell("BackOff", f"Back-off restarting failed container {self.name} in pod {self._room.title}", warning=True)
            if await ending.pause(wait):
                return False
        self.state.restarts += 1
        return True

    def _backoff(self) -> float:
        """The second start is at once."""
        crashes = self._crashes - 2
        return 0.0 if crashes < 0 else min(self._settings.backoff * 2 ** min(crashes, 20), LONGEST_BACKOFF)

    async def _start(self, ending: Ending) -> Running | None:
        self.state.state = creating(self.state.is_initial)
        command = await self._configured(ending)
        if command is None:
            return None
        try:
            log = processes.open_log(self._settings.state, self._room.pod, self.name, self.state.restarts)
            result = self._room.result(self.name, self.state.restarts)
            result.unlink(missing_ok=True)
            running = await Running.start(command, log, result, self._settings.held)
            self._room.result(self.name, self.state.restarts - 2).unlink(missing_ok=True)
        except OSError as failed:
            self._wait("CreateContainerError", f"the node can't keep this container's files: {failed.strerror}")
            await ending.pause(_CONFIG_AGAIN[1])
            return None
        self._began = clock.stamp()
        if running.has_started:
            self.state.state = {"running": {"startedAt": self._began}}
            self._tell("Started", f"Started container {self.name}")
            self._changed()
        return running

    async def _configured(self, ending: Ending) -> Command | None:
        """Its command and environment, as soon as they can be had; None where the Pod ends before."""
        wait, longest = _CONFIG_AGAIN
        while True:
            try:
                return await self._command()
            except (NotConfigured, ApiFailed) as failed:
                if isinstance(failed, NotConfigured) and self._wait("CreateContainerConfigError", str(failed)):
                    self._tell("Failed", f"Error: {failed}", warning=True)
                if await ending.pause(wait):
                    return None
                wait = min(wait * 2, longest)

    async def _command(self) -> Command:
        environment = await self._room.environment(self._spec)
        words = [*(self._spec.get("command") or self._room.entrypoint(self._spec)), *(self._spec.get("args") or ())]
        expanded = tuple(expand(word, environment) for word in words)
        folder = self._spec.get("workingDir") or environment["HOME"]
        return Command(expanded, environment, folder)

    # -- ending

    async def _attend(self, running: Running, ending: Ending) -> None:
        """Until it has ended; where its Pod ends first, it is told to."""
        told = False
        while not running.ended.done():
            if ending.is_set and not told:
                told = True
                self._tell("Killing", f"Stopping container {self.name}")
                running.terminate()
            await first(running.ended, ending, ending.left() if told else None)
            if told and ending.left() <= 0:
                running.kill()
                await asyncio.shield(running.ended)
        self._over(running.ended.result())

    def _over(self, ended: Ended) -> None:
        if ended.reason == "StartError":
            self._tell("Failed", f"Error: {ended.message}", warning=True)
        self._ended = ended.at
        lasted = (ended.at - clock.read(self._began)).total_seconds()
        self._crashes = 1 if lasted > LASTED else self._crashes + 1
        self.state.state = self._terminated(ended, self._began)
        self._changed()

    def _terminated(self, ended: Ended, began: str) -> Object:
        message = ended.message or messages.of_end(self._spec, self._room.message_file(self.name), self._log_path(), ended.code)
        return {
            "terminated": {
                "exitCode": ended.code,
                **({"signal": ended.signal} if ended.signal else {}),
                "reason": ended.reason,
                **({"message": message} if message else {}),
                "startedAt": began,
                "finishedAt": clock.stamp(ended.at),
                "containerID": f"process://{self._room.uid}.{self.name}.{self.state.restarts}",
            }
        }

    def _left_behind(self, start: int, known: Object | None) -> Object:
        """The end of a start that an earlier node made."""
        told = (known or {}).get("state") or {}
        if "terminated" in told and (known or {}).get("restartCount") == start:
            return dict(told)
        ended = processes.recorded(self._room.result(self.name, start)) or _lost()
        began = _began(known) if known and known.get("restartCount") == start else clock.stamp(ended.at)
        return self._terminated(ended, began)

    def _log_path(self) -> Path:
        return self._room.log_folder(self.name) / f"{self.state.restarts}.log"

    def _wait(self, reason: str, message: str) -> bool:
        """It waits, for this reason; whether that is new."""
        waiting = {"waiting": {"reason": reason, "message": message}}
        if self.state.state == waiting:
            return False
        self.state.state = waiting
        self._changed()
        return True


def creating(is_initial: bool) -> Object:
    """The state of what is about to start."""
    return {"waiting": {"reason": "PodInitializing" if is_initial else "ContainerCreating"}}


def _lost() -> Ended:
    return Ended(processes.UNKNOWN_CODE, 0, "Unknown", clock.now())


def _began(known: Object) -> str:
    return str(((known.get("state") or {}).get("running") or {}).get("startedAt") or clock.stamp())
