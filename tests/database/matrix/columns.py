"""Types of columns that tables of users have, with the types of fields that belong in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_NUMBERS = "integer decimal float"
_WHOLE = "integer decimal"
_PLAIN = "integer decimal float boolean"
_TYPICAL = "text decimal boolean timestamp json"
_WORDS = "text integer decimal float boolean date time timestamp json uuid"


@dataclass(frozen=True)
class Kind:
    """A type of column. ``takes``: the types of fields; all others are a SchemaMismatch. ``before``: what must be there first."""

    declared: str
    takes: str = ""
    before: str = ""
    also: Mapping[str, str | None] = field(default_factory=dict)
    """Texts that are written, too, and what the column makes of them: None where they are refused."""
    only: str = ""
    """Of what it takes, what is tried: the rest goes the same way. Empty: everything."""
    careful: str = ""
    """Types of fields of which more is refused than the database would."""
    padded: bool = False
    """Whether spaces at the end of a text are no part of it."""

    @property
    def single(self) -> bool:
        """Whether it holds the nearest number of four bytes."""
        return self.declared.partition(" ")[0] in ("real", "float")

    def tries(self, field_type: str) -> bool:
        """Whether values of a field's type are written to it."""
        name = field_type.partition("(")[0]
        return name in self.takes.split() and name in (self.only or self.takes).split()

    def is_careful(self, field_type: str) -> bool:
        """Whether more is refused than the database would."""
        return field_type.partition("(")[0] in self.careful.split()

    def is_key(self, field_type: str) -> bool:
        """Whether they are tried as keys: of columns of texts, texts."""
        return self.tries(field_type) and (field_type == "text" or (field_type != "json" and "text" not in self.takes.split()))


def _kinds(takes: str, *declared: str, only: str = "", careful: str = "", padded: bool = False) -> list[Kind]:
    return [Kind(one, takes, only=only, careful=careful, padded=padded) for one in declared]


_FOLDED = "CREATE COLLATION IF NOT EXISTS folded (provider = icu, locale = 'und-u-ks-level1', deterministic = false)"
_MOOD = "CREATE TYPE mood AS ENUM ('a', 'A', 'a ', '', 'é', 'it''s', 'a\\b', '007')"
_TIMES = {"12:00": "12:00:00", "04:05:06 PM": "16:05:06", "24:00:00": "24:00:00", "12:00:00.500": "12:00:00.5", "12:00:00.1234567": None}
_WHOLE_TIMES = {"12:00:00.6": None, "12:00:00.000": "12:00:00", "allballs": None, "12:00:00+02": None}
_ZONED = {"12:00:00+02": "12:00:00+02", "12:00:00": "12:00:00+00", "12:00:00 Europe/Berlin": None}
_SPANS = {
    "1 month": "1 mon",
    "30 days": "30 days",
    "720 hours": "720:00:00",
    "-1 day": "-1 days",
    "2 ms": "00:00:00.002",
    "P1Y2M3DT4H5M6.5S": "1 year 2 mons 3 days 04:05:06.5",
    "0.123456 seconds": "00:00:00.123456",
    "0.1234567 seconds": None,
    "0": "00:00:00",
    "-0": "00:00:00",
    "007": "00:00:07",
    "+5": "00:00:05",
    " 12 ": "00:00:12",
    "1.50": "00:00:01.5",
    "$1": None,
    "\\0": None,
}
_WHOLE_SPANS = {**_SPANS, **dict.fromkeys(("2 ms", "P1Y2M3DT4H5M6.5S", "0.123456 seconds", "1.50")), "1 day 2 seconds": "1 day 00:00:02"}
_HOSTS = {"10.0.0.1": "10.0.0.1/32", "10.0.0.1/24": "10.0.0.1/24", "::1": "::1/128", "::ffff:1.2.3.4": "::ffff:1.2.3.4/128"}
_NETWORKS = {
    "0": "0.0.0.0/8",
    "007": "7.0.0.0/8",
    "1.50": "1.50.0.0/16",
    "0x10": "16.0.0.0/8",
    "10.0.0.0/24": "10.0.0.0/24",
    "10.0.0.1/24": None,
}

POSTGRESQL = [
    *_kinds(_WHOLE, "smallint", "integer", "bigint"),
    *_kinds(_NUMBERS, "numeric", "numeric(5,2)", "numeric(40,10)", "numeric(3,5)", "numeric(5,-2)", "double precision"),
    *_kinds(_NUMBERS, "real", careful=_WHOLE),
    *_kinds(_WORDS, "text", "varchar(3)", "name"),
    *_kinds(_WORDS, 'text COLLATE "C"', "varchar", "varchar(255)", 'varchar(64) COLLATE "C"', only="text json"),
    *_kinds(_WORDS, "char(5)", "char", "bpchar", only="text decimal", careful="text", padded=True),
    *(Kind(f"{declared} COLLATE folded", _WORDS, _FOLDED, only="text json") for declared in ("text", "varchar(20)")),
    Kind("citext", _WORDS, "CREATE EXTENSION IF NOT EXISTS citext SCHEMA pg_catalog", only="text json"),
    *_kinds("boolean", "boolean"),
    *_kinds("date", "date"),
    *(Kind(declared, "time text", also=_TIMES) for declared in ("time", "time(3)")),
    Kind("time(0)", "time text", also=_WHOLE_TIMES),
    Kind("timetz", "text", also=_ZONED),
    Kind("timetz(0)", "text", also={**_ZONED, "12:00:00.6+02": None}),
    *_kinds("timestamp date", "timestamp", "timestamp(0)", "timestamp(3)"),
    *_kinds("timestamp", "timestamptz", "timestamptz(0)", "timestamptz(3)"),
    *_kinds("json", "json", careful="json"),
    *_kinds("json", "jsonb"),
    *_kinds("uuid", "uuid"),
    *_kinds("bytes", "bytea"),
    Kind("mood", "text", _MOOD),
    Kind("short", _WORDS, "CREATE DOMAIN short AS varchar(3)", only="text decimal boolean"),
    Kind("positive", _WHOLE, "CREATE DOMAIN positive AS integer CHECK (VALUE > 0)"),
    Kind("price", _NUMBERS, "CREATE DOMAIN price AS numeric(5,2)"),
    Kind("inet", "text", also=_HOSTS),
    Kind("cidr", "text", also=_NETWORKS),
    Kind("macaddr", "text", also={"08-00-2B-01-02-03": "08:00:2b:01:02:03"}),
    Kind("macaddr8", "text", also={"08:00:2b:01:02:03:04:05": "08:00:2b:01:02:03:04:05"}),
    Kind("interval", "text", also=_SPANS),
    Kind("interval(0)", "text", also=_WHOLE_SPANS),
    Kind("bit(3)", "text", also={"101": "101", "x5": None, "10": None, "1010": None}),
    Kind("varbit(5)", "text", also={"101": "101", "00101": "00101", "101010": None, "0": "0"}),
    *_kinds("", "integer[]", "text[]", "money", "xml", "point", "tsvector", "int4range", "oid", '"char"', "interval year to month"),
]

_COLLATIONS = ("general_ci", "bin", "unicode_ci", "uca1400_ai_ci", "nopad_bin", "general_nopad_ci", "uca1400_nopad_as_cs")
_CHARSETS = ("latin1", "ascii", "utf8mb3", "utf16", "utf32", "cp932", "gbk", "cp1251", "swe7")
_ENUM = "enum('a','b','','é','it''s','a\\\\b','007','x,y','1')"

MARIADB = [
    *_kinds("integer decimal boolean", "tinyint", "tinyint(1)", "tinyint unsigned"),
    *_kinds(_WHOLE, *(f"{size}int{sign}" for size in ("small", "medium", "", "big") for sign in ("", " unsigned")), "int(5) zerofill"),
    *_kinds(_NUMBERS, "decimal", "decimal(5,2)", "decimal(65,30)", "decimal(5,2) unsigned"),
    *_kinds(_NUMBERS, "double", "double unsigned"),
    *_kinds(_NUMBERS, "float", "float unsigned", careful=_WHOLE),
    *_kinds(_WORDS, "char(5)", "varchar(3)", "tinytext", "longtext"),
    *_kinds(_WORDS, "varchar(255)", "text", "mediumtext", "char(5) COLLATE utf8mb4_nopad_bin", only="text json"),
    *_kinds(_WORDS, *(f"varchar(64) COLLATE utf8mb4_{one}" for one in _COLLATIONS), only="text decimal"),
    *_kinds(_WORDS, *(f"varchar(64) CHARACTER SET {one}" for one in _CHARSETS), only="text json"),
    *_kinds(_WORDS, *(f"tinytext CHARACTER SET {one}" for one in ("latin1", "utf16", "ucs2")), only="text"),
    Kind(_ENUM, "text"),
    Kind("json", _WORDS, only="text json decimal boolean"),
    *_kinds("uuid", "uuid"),
    Kind("inet6", "text", also={"::1": "::1", "0::0001": "::1", "::ffff:1.2.3.4": "::ffff:1.2.3.4"}),
    Kind("inet4", "text", also={"10.0.0.1": "10.0.0.1", "10.0.0.1/8": None}),
    *_kinds("bytes", "binary(3)", "varbinary(3)", "varbinary(255)", "tinyblob", "blob", "mediumblob", "longblob"),
    *_kinds("date", "date"),
    *_kinds("time", "time", "time(3)", "time(6)"),
    *_kinds("timestamp date", "datetime", "datetime(3)", "datetime(6)"),
    *_kinds("timestamp", "timestamp NULL", "timestamp(3) NULL", "timestamp(6) NULL"),
    *_kinds("", "bit(1)", "bit(8)", "year", "set('a','b')", "point", "geometry", "float(7,2)", "double(10,2)"),
]

SQLITE = [
    *_kinds(_PLAIN, "INTEGER", "INT", "BIGINT", "UNSIGNED BIG INT", "FLOATING POINT", careful="decimal"),  # 1e29 would be a REAL there
    *_kinds(_PLAIN, "REAL", "DOUBLE", "FLOAT(5)"),
    *_kinds(_WORDS, "NUMERIC", "STRING", careful="decimal"),
    *_kinds(_WORDS, "DECIMAL(10,5)", "BOOLEAN", "DATE", "DATETIME", "TIME", "JSON", "UUID", "ANY", only=_TYPICAL, careful="decimal"),
    *_kinds(_WORDS, "TEXT", "TEXT COLLATE NOCASE", "TEXT COLLATE RTRIM", "CLOB"),
    *_kinds(_WORDS, "VARCHAR(3)", "CHAR(5) COLLATE NOCASE", "NVARCHAR(255)", careful=_WORDS),  # SQLite ignores the length
    *_kinds(f"{_WORDS} bytes", "BLOB", "", "BLOB COLLATE NOCASE", only=f"{_TYPICAL} integer float bytes"),
]
