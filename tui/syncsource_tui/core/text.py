"""Text from outside made safe for a terminal, and text cut to a width in cells."""

from __future__ import annotations

import re
from typing import Any

from rich.cells import cell_len, set_cell_size

LONGEST = 4096
"""Characters kept of one piece of text."""

_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]"
)
_BREAK = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_INVISIBLE = re.compile(
    "[\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
"""All of Unicode's format characters, and the selectors that change how wide another character is."""
_SURROGATE = re.compile("[\ud800-\udfff]")


_ASCII = str.maketrans({"✓": "+", "✗": "x", "▸": ">", "‖": "=", "…": "~", "·": "-", "–": "-", "−": "-", "⟩": ">", "●": "*", "→": ">"})


def clean(value: Any, limit: int = LONGEST) -> str:
    """The value as one line that a terminal can only show: no control characters or sequences, no bidirectional overrides, no zero widths.

    None is the empty text. What is longer than ``limit`` ends with an ellipsis.
    """
    if value is None:
        return ""
    text = str(value)[: 4 * limit]
    if not (text.isascii() and text.isprintable()):
        text = _BREAK.sub(" ", _SEQUENCE.sub(" ", text))
        text = _SURROGATE.sub("\ufffd", _INVISIBLE.sub("", text))
    text = text.strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clean_lines(text: str) -> list[str]:
    """Each line made safe, its indentation kept."""
    return [line[: len(line) - len(line.lstrip(" "))] + clean(line) for line in text.split("\n")]


def in_ascii(text: str) -> str:
    """The text with the glyphs that screens draw in ASCII, each as wide as before."""
    return text if text.isascii() else text.translate(_ASCII)


def width_of(text: str) -> int:
    """Its width in cells of a terminal."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, width: int, align: str = "left") -> str:
    """The text in exactly ``width`` cells: padded, or cut with an ellipsis."""
    length = width_of(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    padding = " " * (width - length)
    return padding + text if align == "right" else text + padding


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most ``width`` cells, broken at spaces where there are any."""
    lines, line = [], ""
    for word in text.split(" "):
        for piece in _pieces(word, max(width, 1)):
            if line and width_of(line) + 1 + width_of(piece) > width:
                lines.append(line)
                line = piece
            else:
                line = f"{line} {piece}" if line else piece
    return [*lines, line]


def _pieces(word: str, width: int) -> list[str]:
    """A word, or its parts where it alone is too wide."""
    if width_of(word) <= width:
        return [word]
    parts, part, used = [], "", 0
    for character in word:
        size = width_of(character)
        if used + size > width:
            parts.append(part)
            part, used = "", 0
        part, used = part + character, used + size
    return [*parts, part]
