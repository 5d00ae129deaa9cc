"""Files of separated values as a source: ``spec.source.csv``."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from syncsource.resource.auth import Auth
from syncsource.resource.connection import HttpUrl
from syncsource.resource.http import RequestRetry
from syncsource.resource.parts import PositiveDuration, RateLimit, SourcePart
from syncsource.resource.types import Part, ruled

_NO_TEXT = frozenset(
    ("idna", "punycode", "raw-unicode-escape", "raw_unicode_escape", "undefined", "unicode-escape", "unicode_escape", "utf-7")
)


def check_encoding(name: str) -> str:
    """The name of a text encoding that Python knows, or a ValueError that says so."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        found = None
    if found is None or not getattr(found, "_is_text_encoding", True) or found.name in _NO_TEXT:
        raise ValueError(f"{name!r} is not a text encoding, such as utf-8, cp1252 or utf-16")
    return name


Encoding = Annotated[str, Field(max_length=32, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"), AfterValidator(check_encoding)]
Character = Annotated[str, Field(min_length=1, max_length=1, pattern=r"^[^\r\n\x00]$")]
Cell = Annotated[str, Field(max_length=256)]


class Download(Part):
    """A file that an HTTP server hands out."""

    url: HttpUrl = Field(description="The file, for example https://shop.example/export.csv. Credentials belong in auth.")
    auth: Auth | None = Field(None, description="How the request is authenticated.")
    rate_limit: RateLimit | None = Field(None, description="Shared by all SyncSources of one operator that hit the same host.")
    retry: RequestRetry = Field(default_factory=RequestRetry, description="Retries of the download.")
    timeout: PositiveDuration = Field(timedelta(minutes=10), description="Longest time that the download may take.")
    read_timeout: PositiveDuration = Field(timedelta(seconds=30), description="Longest silence in the middle of it.")
    max_bytes: int = Field(1024**3, ge=1024, le=1024**4, description="Largest file that is taken to this machine's disk, in bytes.")


class CsvSource(SourcePart):
    """Files of separated values: a header, and a record per line."""

    model_config = ruled(
        ("!has(self.path) || !has(self.download)", "at most one of path and download may be set", ".path"),
        ("has(self.columns) != self.header", "columns must be named where header is false, and only there", ".columns"),
        ("!has(self.delimiter) || self.delimiter != self.quote", "delimiter and quote must differ", ".delimiter"),
        ("!has(self.escape) || self.escape != self.quote", "a quote is escaped by doubling it already", ".escape"),
        ("!has(self.escape) || !has(self.delimiter) || self.escape != self.delimiter", "escape and delimiter must differ", ".escape"),
        ("!has(self.comment) || self.comment != self.quote", "comment and quote must differ", ".comment"),
    )
    path: Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^\x00]+$")] | None = Field(
        None,
        description=(
            "File, or glob such as exports/*.csv (** stands for any folders), in the folder that the operator's --files names; with `syncsource "
            "run -f` beside the manifest. Files are read in the order of their names. Without it and without download, files come by `syncsource import`."
        ),
    )
    download: Download | None = Field(None, description="A file that is fetched by HTTP.")
    encoding: Encoding | None = Field(
        None,
        description="Encoding of the text, such as cp1252. Absent: what the byte order mark says, else UTF-8, else detected and logged.",
    )
    delimiter: Character | None = Field(
        None, description="What separates cells. Absent: whichever of comma, semicolon, tab and | divides the first lines evenly."
    )
    quote: Annotated[str, Field(max_length=1, pattern=r"^[^\r\n\x00]?$")] = Field(
        '"', description="What encloses cells that hold separators or newlines; doubled inside them. Empty: nothing does."
    )
    escape: Character | None = Field(None, description="What takes the meaning from the character after it. Absent: nothing does.")
    header: bool = Field(True, description="Whether the first line names the columns.")
    columns: Annotated[list[Annotated[str, Field(min_length=1, max_length=256)]], Field(min_length=1, max_length=500)] | None = Field(
        None,
        description="Names of the columns, in their order, of files without a header.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    skip_lines: Annotated[int, Field(ge=0, le=10_000)] = Field(0, description="Lines before the header that are left out.")
    comment: Character | None = Field(None, description="Lines that begin with it are left out. Absent: none.")
    null_values: Annotated[list[Cell], Field(max_length=32)] = Field(
        [""], description="Cells that mean null, such as an empty one, NULL or n/a."
    )
    trim: bool = Field(False, description="Take white space from both ends of each cell.")
    on_ragged: Literal["Quarantine", "Fill"] = Field(
        "Quarantine",
        description=(
            "Lines with more or fewer cells than the header has. Quarantine: kept aside with their line number. Fill: missing cells are null, "
            "empty ones beyond the header are left out; others are kept aside."
        ),
    )
    members: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        None, description="Which files of a zip archive are read, as a glob such as *.csv. Absent: all."
    )

    @property
    def takes_once(self) -> bool:
        return True

    @property
    def secret_keys(self) -> list[tuple[str, str]]:
        return self.download.auth.secret_keys if self.download and self.download.auth else []

    def asking(self, name: str, key: str) -> str:
        return "download.auth"

    @property
    def limits(self) -> Mapping[str, RateLimit]:
        if self.download is None or self.download.rate_limit is None:
            return {}
        return {(urlsplit(self.download.url).hostname or "").lower(): self.download.rate_limit}

    @property
    def place(self) -> str:
        if self.download is not None:
            return self.download.url.partition("?")[0]
        return self.path or "files handed over with `syncsource import`"
