"""How the program was started."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """``ascii``: no glyph beyond ASCII. ``read_only``: nothing may be changed from here."""

    version: str = ""
    read_only: bool = False
    ascii: bool = False
