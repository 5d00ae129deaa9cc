"""What can go wrong between us and a control plane, by what it means to who looks at the screen.

Failure
├── Away          it can't be reached or is overloaded: everything is kept, and tried again
├── Unusable      the kubeconfig says nothing that can be used: read again each time
├── Unauthorized  it does not know us
├── Forbidden     it knows us, and we may not: with the verb, the resource and the place
├── Missing       what was asked for is not there
├── Expired       a version too old to go on from: list again
├── Changed       the object is not as it was expected to be
└── Refused       anything else that it will not do
"""

from __future__ import annotations

from syncsource_tui.core.text import clean


class Failure(Exception):
    """A request that did not work out. ``message`` is clean, in one line."""

    def __init__(self, message: str) -> None:
        self.message = clean(message, 300)
        super().__init__(self.message)


class Away(Failure):
    """No answer, or 408, 429 and 5xx."""


class Unusable(Failure):
    """No kubeconfig, or none that can be read."""


class Unauthorized(Failure):
    """401."""


class Forbidden(Failure):
    """403. ``right`` names what is missing: ``list syncsources.syncsource.dev in all namespaces``."""

    def __init__(self, message: str, right: str) -> None:
        super().__init__(message)
        self.right = right


class Missing(Failure):
    """404."""


class Expired(Failure):
    """410."""


class Changed(Failure):
    """409, or a precondition that did not hold."""


class Refused(Failure):
    """Another 4xx; the message is the control plane's own."""
