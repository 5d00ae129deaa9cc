"""Compressed bodies: every coding in any pieces, cuts, lies and bombs."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import brotli
import httpx
import pytest
import zstandard

from syncsource.sources.rest.compression import decompressed
from tests.upstream import Reply, in_turn

TEXT = json.dumps([{"id": number, "name": f"name {number * 7919 % 10007}"} for number in range(5000)]).encode()


def bare(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


CODINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "bare": ("deflate", bare),
    "br": ("br", lambda data: brotli.compress(data, quality=5)),
    "zstd": ("zstd", zstandard.compress),
}


@pytest.fixture(params=CODINGS)
def coding(request: pytest.FixtureRequest) -> tuple[str, Callable[[bytes], bytes]]:
    return CODINGS[request.param]


def in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[place : place + size] for place in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 3, 999, 1 << 20])
def test_any_pieces(coding: Any, size: int) -> None:
    name, pack = coding
    assert b"".join(decompressed(in_pieces(pack(TEXT), size), name)) == TEXT


def test_an_empty_body_has_no_coding(coding: Any) -> None:
    assert b"".join(decompressed([b"", b""], coding[0])) == b""


@pytest.mark.parametrize("cut", [1, 5, 2000])
def test_a_body_that_is_cut_is_lost(coding: Any, cut: int) -> None:
    name, pack = coding
    with pytest.raises(httpx.RemoteProtocolError, match="the compressed data ends too early"):
        list(decompressed([pack(TEXT)[:-cut]], name))


def test_a_body_that_is_not_compressed_so(coding: Any) -> None:
    with pytest.raises((httpx.DecodingError, httpx.RemoteProtocolError)):
        list(decompressed([b"[1, 2, 3, 4, 5, 6, 7, 8]"], coding[0]))


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_several_members_follow_one_another(name: str) -> None:
    pack = CODINGS[name][1]
    assert b"".join(decompressed(in_pieces(pack(b"[1,") + pack(b"2]"), 7), name)) == b"[1,2]"


@pytest.mark.parametrize("header", ["gzip, br", "GZIP ,identity, br", "unheard-of, gzip, br"])
def test_codings_one_over_the_other(header: str) -> None:
    packed = brotli.compress(gzip.compress(TEXT))
    assert b"".join(decompressed([packed], header)) == TEXT


def test_too_many_codings() -> None:
    with pytest.raises(httpx.DecodingError, match="4 codings one over the other"):
        decompressed([b""], "gzip, gzip, gzip, gzip")


def test_a_bomb_is_cut_off_in_constant_memory(coding: Any, serve: Any, failure: Any) -> None:
    """32 MiB of spaces, some hundred bytes to some kilobytes as they are sent."""
    name, pack = coding
    upstream = serve(in_turn(Reply(pack(b" " * (1 << 25)), headers={"Content-Encoding": name})))
    tracemalloc.start()
    error, _ = failure(upstream.url, maxPageBytes=2_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error.reason == "AnswerTooLarge"
    assert error.message == (
        f"GET {upstream.url}: the body is larger than 2,000,000 bytes; ask for smaller pages in spec.source.http.pagination, "
        "or allow more in spec.source.http.maxPageBytes"
    )
    assert peak < 30_000_000


def test_a_refusal_that_is_a_bomb_is_cut_off_too(coding: Any, serve: Any, failure: Any) -> None:
    name, pack = coding
    upstream = serve(in_turn(Reply(pack(b"no " * (1 << 23)), status=400, headers={"Content-Encoding": name})))
    tracemalloc.start()
    error, _ = failure(upstream.url)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (error.reason, "answered 400: no no no" in error.message) == ("UpstreamRefused", True)
    assert peak < 30_000_000


def test_pages_of_every_coding(coding: Any, serve: Any, read: Any) -> None:
    name, pack = coding
    upstream = serve(in_turn(Reply(pack(TEXT), headers={"Content-Encoding": name})))
    assert len(read(upstream.url)) == 5000
    assert upstream.asked[0].headers["accept-encoding"] == "gzip, deflate, br, zstd"
