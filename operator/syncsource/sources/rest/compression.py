"""Bodies without their content codings (RFC 9110, section 8.4.1), in small pieces, so that a bound on their size holds for bombs, too.

httpx decompresses whatever arrived at once: 64 KiB that become gigabytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import reduce

import brotli
import httpx
import zstandard

PIECE = 64 * 1024
"""Bytes of a piece, about; of zstd it may be some MiB."""
_LARGEST_WINDOW = 8 * 1024 * 1024
"""Bytes that a zstd frame may ask to be held: what RFC 9659 allows in HTTP."""
_ZSTD_SLICE = 256
"""Input at once: a block of four bytes may become 128 KiB, and zstandard bounds no output."""
MOST_CODINGS = 3

Chunks = Iterable[bytes]


def decompressed(chunks: Chunks, header: str) -> Iterator[bytes]:
    """The body whose Content-Encoding is ``header``. Names that nobody knows are taken for no coding, as browsers do.

    Raises httpx.DecodingError: what came is not compressed so, or is compressed too many times; httpx.RemoteProtocolError: it ends too early.
    """
    known = [_CODINGS[name] for name in (part.strip().lower() for part in header.split(",")) if name in _CODINGS]
    if len(known) > MOST_CODINGS:
        raise httpx.DecodingError(f"{len(known)} codings one over the other")
    return iter(reduce(lambda inner, coding: coding(inner), reversed(known), chunks))


def _zlib(chunks: Chunks, window: int) -> Iterator[bytes]:
    """zlib's format or gzip's, of which several may follow one another."""
    decoder, begun = zlib.decompressobj(window), False
    for chunk in chunks:
        data = chunk
        while data:
            if decoder.eof:
                decoder = zlib.decompressobj(window)
            yield _checked(decoder.decompress, data, PIECE)
            begun = True
            data = decoder.unconsumed_tail or (decoder.unused_data if window > zlib.MAX_WBITS else b"")
        while piece := _checked(decoder.decompress, b"", PIECE):  # of input that it took whole
            yield piece
    _check_end(decoder.eof or not begun)


def _gzip(chunks: Chunks) -> Iterator[bytes]:
    return _zlib(chunks, zlib.MAX_WBITS | 16)


def _deflate(chunks: Chunks) -> Iterator[bytes]:
    """zlib's format as the name means, or bare deflate as some servers have it: the first byte tells."""
    rest = iter(chunks)
    first = next((chunk for chunk in rest if chunk), b"")
    bare = bool(first) and first[0] & 0x0F != 8
    return _zlib(_after(first, rest), -zlib.MAX_WBITS if bare else zlib.MAX_WBITS)


def _after(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _brotli(chunks: Chunks) -> Iterator[bytes]:
    decoder, begun = brotli.Decompressor(), False
    for chunk in chunks:
        begun = begun or bool(chunk)
        yield _checked(decoder.process, chunk, output_buffer_limit=PIECE)
        while piece := _checked(decoder.process, b"", output_buffer_limit=PIECE):
            yield piece
    _check_end(decoder.is_finished() or not begun)


def _zstd(chunks: Chunks) -> Iterator[bytes]:
    context = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
    decoder, begun = context.decompressobj(), False
    for chunk in chunks:
        begun = begun or bool(chunk)
        for start in range(0, len(chunk), _ZSTD_SLICE):
            data = chunk[start : start + _ZSTD_SLICE]
            while data:
                if decoder.eof:
                    decoder = context.decompressobj()
                yield _checked(decoder.decompress, data)
                data = decoder.unused_data
    _check_end(decoder.eof or not begun)


def _checked(decode: Callable[..., bytes], *arguments: object, **options: object) -> bytes:
    try:
        return decode(*arguments, **options)
    except (zlib.error, brotli.error, zstandard.ZstdError) as error:
        raise httpx.DecodingError(str(error)) from None


def _check_end(complete: bool) -> None:
    if not complete:
        raise httpx.RemoteProtocolError("the compressed data ends too early")


_CODINGS: dict[str, Callable[[Chunks], Iterator[bytes]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
