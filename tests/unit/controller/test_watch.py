"""What kopf is given: handlers that look, and none that makes it keep tasks or mark objects."""

from __future__ import annotations

import kopf
import pytest

from syncsource.controller.kube.login import Login
from syncsource.controller.kube.watch import Watch


@pytest.fixture
def registry() -> kopf.OperatorRegistry:
    return Watch(login=Login(), namespaces=None, handle=lambda kind, event, manifest: None)._registry()


def test_no_timers_and_no_daemons(registry: kopf.OperatorRegistry) -> None:
    """Each is a task per object, and all of them fire when the operator starts."""
    assert len(registry._watching.get_all_handlers()) == 3
    assert not registry._spawning.get_all_handlers()


def test_no_handlers_for_which_kopf_marks_objects(registry: kopf.OperatorRegistry) -> None:
    """With a finalizer, without which it would miss deletions, or an annotation, by which it knows changes."""
    assert len(registry._watching.get_all_handlers()) == 3
    assert not registry._changing.get_all_handlers()
