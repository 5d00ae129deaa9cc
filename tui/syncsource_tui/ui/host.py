"""What screens may ask of the application that shows them."""

from __future__ import annotations

from typing import Protocol

from syncsource_tui.core.fleet import Fleet
from syncsource_tui.core.options import Options
from syncsource_tui.core.requests import Request
from syncsource_tui.core.times import Clock
from syncsource_tui.kube.session import Session


class Host(Protocol):
    """``context``: the kubeconfig's name for the control plane. ``requests``: the changes whose outcome is not yet old."""

    session: Session
    options: Options
    clock: Clock
    fleet: Fleet
    context: str
    requests: list[Request]

    def act(self, id: str, argument: str = "") -> None:
        """Do what the registry calls ``id``, or say why not."""
