"""A run in a process of its own, which a test kills."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection

from syncsource.engine.executing import execute
from syncsource.engine.plan import Outcome, RunPlan
from syncsource.engine.stopping import Stop
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import Page, Slice
from syncsource.sources.hosts import local_hosts
from tests.database.engine import Upstream
from tests.database.model import Record

_DIALECTS = ["postgresql", "mysql", "sqlite"]
_DRIVERS = ["postgresql.psycopg", "mysql.pymysql"]
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(
    [__name__, *(f"syncsource.destinations.{name}" for name in _DIALECTS), *(f"sqlalchemy.dialects.{name}" for name in _DRIVERS)]
)
SyncSourceSpec.model_rebuild()  # once, where processes are forked from, not in each

PAGE = 40
_ENDS_WITHIN = 60.0


class Pages:
    """Counts the pages that runs were served, whichever process they are in."""

    def __init__(self) -> None:
        self._served = _processes.Semaphore(0)

    def count(self) -> None:
        """One more."""
        self._served.release()

    def wait(self) -> bool:
        """Until one is served. One that was is waited for once."""
        return self._served.acquire(timeout=_ENDS_WITHIN)


class _Told(Upstream):
    """It tells of its pages."""

    def __init__(self, records: Sequence[Record], pages: Pages) -> None:
        super().__init__(records, size=PAGE)
        self._pages = pages

    def pages(self, part: Slice) -> Iterator[Page]:
        """As they are, the first of them even where it is empty."""
        self._pages.count()
        yield from super().pages(part)


class Run:
    """It goes on by itself."""

    def __init__(self, plan: RunPlan, records: Sequence[Record], pages: Pages, *, waits: bool) -> None:
        self.plan = plan
        self._outcome, told = _processes.Pipe(duplex=False)
        self._process = _processes.Process(target=_execute, args=(plan, records, pages, waits, told), daemon=True)
        self._process.start()
        told.close()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.join()

    def wait(self) -> None:
        """Until it has ended."""
        assert self._outcome.poll(_ENDS_WITHIN), "the run does not end"

    def outcome(self) -> Outcome | None:
        """What it told; None where it was killed before it could."""
        try:
            self.wait()
            found: Outcome = self._outcome.recv()
            return found
        except EOFError:
            return None
        finally:
            self.kill()
            self._outcome.close()


def _execute(plan: RunPlan, records: Sequence[Record], pages: Pages, waits: bool, told: Connection) -> None:
    upstream, stop = _Told(records, pages), Stop()
    upstream.waits = waits
    outcome = execute(plan, hosts=local_hosts(stop.event), stop=stop, progress=lambda _: None, opened=lambda _, __: upstream)
    told.send(outcome)
