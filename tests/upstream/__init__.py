"""An upstream on 127.0.0.1: it answers as a test says, or serves records behind any kind of pagination and misbehaves on demand.

server       answers as a script says, and remembers what it was asked
kinds        each kind of pagination, as a manifest declares it and as an upstream honours it
collection   records behind one kind, one page at a time
faults       every way to spoil a page, and what is to be told of it
"""

from tests.upstream.collection import Collection, Spoil
from tests.upstream.kinds import KINDS, NDJSON, Kind, Record
from tests.upstream.server import Asked, Reply, Script, Upstream, hanging, in_turn, listening, serving

__all__ = [
    "KINDS",
    "NDJSON",
    "Asked",
    "Collection",
    "Kind",
    "Record",
    "Reply",
    "Script",
    "Spoil",
    "Upstream",
    "hanging",
    "in_turn",
    "listening",
    "serving",
]
