"""Every way to bend one record of a page that can be read, and what becomes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from tests.upstream.faults import body
from tests.upstream.server import Reply

BIG = "1234567890" * 4
DEEP = "[" * 300 + "]" * 300


@dataclass(frozen=True)
class Bend:
    """The first record of a page has ``json`` in ``field``. Either it goes to quarantine for ``reason``, or ``stored`` stands in the table."""

    name: str
    field: str
    json: str
    reason: str = ""
    stored: str | int | None = None
    whole: bool = False
    """Whether the record as a whole is at fault, not the field."""

    def __str__(self) -> str:
        return self.name

    def strike(self, reply: Reply) -> Reply:
        """The spoilt page."""
        put = f'"{self.field}": {self.json}'.encode()
        spoilt, found = re.subn(rb'"%s": ("[^"]*"|\d+)' % self.field.encode(), lambda _: put, body(reply), count=1)
        assert found
        return replace(reply, body=spoilt)


BENDS = [
    Bend("1e400", "amount", "1e400", "InvalidValue"),
    Bend("1e-400", "amount", "1e-400", "InvalidValue"),
    Bend("nan-as-text", "amount", '"NaN"', "InvalidValue"),
    Bend("infinity-as-text", "amount", '"-Infinity"', "InvalidValue"),
    Bend("40-digits", "amount", BIG, "InvalidValue"),
    Bend("40-digits-as-key", "id", BIG, "InvalidValue"),
    Bend("40-digits-as-text", "name", BIG, stored=BIG),
    Bend("19-digits-as-key", "id", "9223372036854775807", stored=9223372036854775807),
    Bend("18-digits-exactly", "amount", "9999999999999999.99", stored="9999999999999999.99"),
    Bend("a-third-decimal", "amount", "0.005", "InvalidValue"),
    Bend("duplicate-names", "amount", '"1.00", "amount": "2.00"', "DuplicateKeys", whole=True),
    Bend("year-0", "born", '"0000-01-01T00:00:00Z"', "InvalidValue"),
    Bend("year-10000", "born", '"10000-01-01T00:00:00Z"', "InvalidValue"),
    Bend("year-9999-east-of-utc", "born", '"9999-12-31T23:59:59-01:00"', "InvalidValue"),
    Bend("february-30", "born", '"2024-02-30T00:00:00Z"', "InvalidValue"),
    Bend("a-nested-bomb", "amount", DEEP, "InvalidValue"),
    Bend("no-key", "id", "null", "MissingKey"),
    Bend("zero-byte", "name", '"a\\u0000b"', "InvalidValue"),
    Bend("half-a-surrogate-pair", "name", '"a\\ud800b"', "TornText", whole=True),
    Bend("surrogate-pair", "name", '"\\ud83d\\ude00 \\\\ud800"', stored="😀 \\ud800"),
    Bend("megabyte", "name", '"' + "x" * 1_000_000 + '"', stored="x" * 1_000_000),
]
"""Records in pages that can be read."""
