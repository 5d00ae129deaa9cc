"""How we stand with the control plane: a state machine without a clock.

CONNECTING → LOADING → LIVE → STALE → LOADING → LIVE → …
               ↘ UNAUTHORIZED, FORBIDDEN, MISSING, UNUSABLE: tried again too, rows kept, each with its reason
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from syncsource_tui.core.failures import Failure, Forbidden, Missing, Unauthorized, Unusable
from syncsource_tui.core.times import span

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0


class Phase(Enum):
    """The value is the word in the header."""

    CONNECTING = "CONNECTING"
    LOADING = "LOADING"
    LIVE = "LIVE"
    STALE = "STALE"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    MISSING = "NOT INSTALLED"
    UNUSABLE = "NO KUBECONFIG"


_OF_FAILURES: tuple[tuple[type[Failure], Phase], ...] = (
    (Unauthorized, Phase.UNAUTHORIZED),
    (Forbidden, Phase.FORBIDDEN),
    (Missing, Phase.MISSING),
    (Unusable, Phase.UNUSABLE),
)


@dataclass(slots=True)
class Connection:
    """Times are instants in seconds."""

    phase: Phase = Phase.CONNECTING
    problem: str = ""
    """Why it is not live."""
    heard_at: float | None = None
    """When the control plane last said something of the fleet."""
    retry_at: float | None = None
    failures: int = 0
    """In a row."""
    loaded: int = 0
    total: int | None = None
    """Of the list under way; None: not known yet."""

    @property
    def is_live(self) -> bool:
        """Whether what is shown is what is."""
        return self.phase is Phase.LIVE

    def listing(self) -> None:
        """A list begins. Where rows were shown before, they stay, and stale they are until the list is complete."""
        self.retry_at, self.loaded, self.total = None, 0, None
        if self.heard_at is None:
            self.phase = Phase.LOADING

    def page(self, loaded: int, total: int, now: float) -> None:
        """A page of the list has come: so many of so many."""
        self.loaded, self.total = loaded, total
        if self.phase in (Phase.CONNECTING, Phase.LOADING):
            self.heard_at = now

    def live(self, now: float) -> None:
        """The list is complete and the watch stands."""
        self.phase, self.problem, self.heard_at, self.failures = Phase.LIVE, "", now, 0

    def heard(self, now: float) -> None:
        """A sign of life."""
        if self.is_live:
            self.heard_at = now

    def lost(self, failure: Failure, now: float) -> float:
        """It failed; returns the seconds to wait: 1, 2, 4, … 30, and so on without an end."""
        wait: float = min(FIRST_WAIT * 2 ** min(self.failures, 10), LONGEST_WAIT)
        self.failures += 1
        self.phase = next((phase for kind, phase in _OF_FAILURES if isinstance(failure, kind)), Phase.STALE)
        self.problem = failure.right if isinstance(failure, Forbidden) else failure.message
        self.retry_at = now + wait
        return wait

    def label(self, now: float) -> str:
        """For the header: ``LIVE``, ``LOADING 4,500/10,000``, ``STALE 42s``."""
        if self.phase is Phase.LOADING and self.total:
            return f"{self.phase.value} {self.loaded:,}/{self.total:,}"
        if self.phase is Phase.STALE:
            return "NO ANSWER" if self.heard_at is None else f"{self.phase.value} {span(now - self.heard_at)}"
        word: str = self.phase.value
        return word

    def banner(self, now: float) -> tuple[str, str]:
        """For the line below the header: what is wrong, and when it is tried again; empty while all is well."""
        if self.phase in (Phase.CONNECTING, Phase.LOADING, Phase.LIVE):
            return "", ""
        waits = self.retry_at is not None and self.retry_at > now
        return self._why(), f"retry in {span((self.retry_at or now) - now + 0.999)}" if waits else "trying again"

    def _why(self) -> str:
        match self.phase:
            case Phase.FORBIDDEN:
                return f"you may not {self.problem}"
            case Phase.UNAUTHORIZED:
                return f"the control plane does not know you (401): log in again, or mend the kubeconfig: {self.problem}"
            case Phase.MISSING:
                return "the control plane has no SyncSources: syncsource crds | kubectl apply -f -"
            case Phase.UNUSABLE:
                return f"{self.problem}; start a control plane with `syncsource up`, or give --kubeconfig"
            case _:
                return f"no answer: {self.problem}"
