"""Regular expressions as an API server takes them (RE2); what is wrong with one is said in the words of Go's `regexp`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

_WORDS = {
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid repetition size": "invalid repeat count",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid named capture group": "invalid named capture",
    "trailing \\": "trailing backslash at end of expression",
}
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


@lru_cache(maxsize=4096)
def compile_pattern(text: str) -> Any:
    """Compile an expression; raises ValueError with the text of Go's error."""
    try:
        return re2.compile(text, _OPTIONS)
    except re2.error as wrong:
        raise ValueError(f"error parsing regexp: {_in_go(wrong)}") from wrong


def _in_go(wrong: Exception) -> str:
    said = wrong.args[0]
    kind, _, what = (said.decode(errors="replace") if isinstance(said, bytes) else str(said)).partition(": ")
    return f"{_WORDS.get(kind, kind)}: `{what}`"
