"""Certificates that can't be trusted, at the first page or in mid-read: the run says which, nothing is written, and all goes on after."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.reading.matrix import POSITIONS
from tests.reading.stage import BEFORE, SINCE, Theatre
from tests.unit.sources.test_tls import written
from tests.upstream import KINDS, Asked, Kind, Reply, serving
from tests.upstream.faults import body

BAD: dict[str, dict[str, Any]] = {"expired": {"ends": 0, "begins": -2}, "another-host": {"address": "127.0.0.9"}, "another-authority": {}}
SAID = {"expired": "the certificate has expired", "another-host": "of another host", "another-authority": "self-signed"}
PAGED = [kind for kind in KINDS if kind.pages]
CASES = [(fault, "first") for fault in BAD] + [("another-authority", position) for position in ("middle", "last") for _ in range(3)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Certificates with their keys."""
    folder = tmp_path_factory.mktemp("certificates")
    return {name: written(folder / name, **options) for name, options in {"good": {}, **BAD}.items()}


@pytest.fixture(scope="module")
def context(files: dict[str, Path]) -> ssl.SSLContext:
    """The upstream's; another certificate may be loaded at any time."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files["good"])
    return context


@pytest.fixture(scope="module")
def secure(context: ssl.SSLContext, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """Plays over TLS."""
    with serving(lambda asked: Reply([]), context) as upstream:
        yield Theatre(upstream, tmp_path_factory.mktemp("plays"))


@pytest.mark.parametrize(("fault", "position", "kind"), [(*case, PAGED[number % len(PAGED)]) for number, case in enumerate(CASES)], ids=str)
def test_a_certificate_that_can_t_be_trusted(
    fault: str, position: str, kind: Kind, secure: Theatre, context: ssl.SSLContext, files: dict[str, Path]
) -> None:
    tls = {"tls": {"authority": {"name": "private"}}}
    play = secure.play(replace(kind, http={**kind.http, **tls}), BEFORE)
    play.table.secrets = {"private": {"ca.crt": _shown(files["good"])}}
    context.load_cert_chain(files["good"])
    assert play.run().result == "Succeeded"
    before, play.collection.records = play.table.state(), [*BEFORE[1:], *SINCE]

    def spoil(number: int, honest: Reply, asked: Asked) -> Reply:
        """The connection ends with the page before, and the next one begins with another certificate."""
        if number != POSITIONS[position] - 1:
            return honest
        context.load_cert_chain(files[fault])
        return replace(honest, body=body(honest), framed=False)

    play.collection.spoil = spoil
    if position == "first":
        context.load_cert_chain(files[fault])
    if fault != "another-authority":
        play.table.secrets = {"private": {"ca.crt": _shown(files[fault])}}
    outcome = play.run()
    assert (outcome.result, outcome.reason, outcome.next.value) == ("Failed", "TLSFailed", "Schedule")
    assert SAID[fault] in outcome.message
    assert play.table.state() == before
    context.load_cert_chain(files["good"])
    play.collection.spoil = None
    play.table.secrets = {"private": {"ca.crt": _shown(files["good"])}}
    assert play.run().result == "Succeeded"
    assert play.table.rows() == play.wanted()


def _shown(file: Path) -> str:
    """The certificate without its key."""
    return "-----BEGIN CERTIFICATE" + file.read_text().partition("-----BEGIN CERTIFICATE")[2]
