"""An object as YAML, line by line."""

from __future__ import annotations

import re

import yaml

from syncsource_tui.core.columns import Cell
from syncsource_tui.core.reading import Object
from syncsource_tui.core.text import clean_lines

_KEY = re.compile(r"( *(?:- )*)([^\s:'\"][^:]*:)( .*)?")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def lines(source: Object) -> list[list[Cell]]:
    """The object without managed fields and kubectl's copy of it, keys told apart."""
    text: str = yaml.safe_dump(_trimmed(source), sort_keys=False, allow_unicode=True, width=10_000)
    return [_coloured(line) for line in clean_lines(text.rstrip("\n"))]


def _trimmed(source: Object) -> Object:
    metadata = source.get("metadata")
    if not isinstance(metadata, dict):
        return source
    kept = {key: value for key, value in metadata.items() if key != "managedFields"}
    if isinstance(kept.get("annotations"), dict):
        kept["annotations"] = {key: value for key, value in kept["annotations"].items() if key != _LAST_APPLIED}
    first: Object = {key: source[key] for key in ("apiVersion", "kind") if key in source}
    return {**first, "metadata": kept, **{key: value for key, value in source.items() if key not in (*first, "metadata")}}


def _coloured(line: str) -> list[Cell]:
    match = _KEY.fullmatch(line)
    if match is None:
        return [Cell(line)]
    return [Cell(match[1]), Cell(match[2], "key"), Cell(match[3] or "")]
