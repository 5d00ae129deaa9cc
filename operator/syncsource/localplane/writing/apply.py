"""Merging an applied configuration into an object (`structured-merge-diff/typed`)."""

from __future__ import annotations

import copy
from typing import Any

from syncsource.localplane.admission.schema import Schema
from syncsource.localplane.writing.fieldset import element, is_granular

_ANY = Schema()


def merge(live: Any, config: Any, schema: Schema) -> Any:
    """`live` with everything that `config` says; maps and keyed lists are merged, all else is replaced."""
    if isinstance(live, dict) and isinstance(config, dict) and (live or config) and is_granular(config, schema):
        merged = dict(live)
        for name, item in config.items():
            below = schema.property(name) or _ANY
            merged[name] = merge(live[name], item, below) if name in live else copy.deepcopy(item)
        return merged
    if isinstance(live, list) and isinstance(config, list) and is_granular(config, schema):
        return _Lists(live, config, schema).merge()
    return copy.deepcopy(config)


class _Lists:
    """Two lists on the way into one: applied items in their own order, the others where they were among them."""

    def __init__(self, live: list[Any], config: list[Any], schema: Schema) -> None:
        self.below = schema.items or _ANY
        self.live, self.applied = _elements(live, schema), _elements(config, schema)
        self.stored = {part: item for part, item in self.live if [other for other, _ in self.live].count(part) == 1}
        present = {part for part, _ in self.live}
        self.shared = [part for part, _ in self.applied if part in present]
        self.wanted = {part for part, _ in self.applied}
        self.merged: list[Any] = []
        self.taken: set[str] = set()

    def merge(self) -> list[Any]:
        left, right = 0, 0
        while left < len(self.live) or right < len(self.applied):
            part = self.live[left][0] if left < len(self.live) else None
            if part is not None and right < len(self.applied):
                if part == self.applied[right][0]:
                    self._take(right)
                    left, right = left + 1, right + 1
                    continue
                if part in self.wanted and self.shared and self.shared[0] != part:
                    left += 1
                    continue
            if part is not None and part not in self.wanted:
                self.merged.append(self.live[left][1])
                left += 1
                continue
            if part in self.taken:
                left += 1
            if right < len(self.applied):
                self._take(right)
                right += 1
        return self.merged

    def _take(self, place: int) -> None:
        """The applied item at `place`, over the stored one with the same key."""
        part, item = self.applied[place]
        self.taken.add(part)
        self.merged.append(merge(self.stored[part], item, self.below) if part in self.stored else copy.deepcopy(item))
        if self.shared and self.shared[0] == part:
            self.shared.pop(0)


def _elements(items: list[Any], schema: Schema) -> list[tuple[str, Any]]:
    return [(element(item, index, schema), item) for index, item in enumerate(items)]
