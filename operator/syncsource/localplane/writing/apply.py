"""Merging an applied configuration into an object (`structured-merge-diff/typed`)."""

from __future__ import annotations

import copy
from typing import Any

from syncsource.localplane.admission.schema import Schema
from syncsource.localplane.writing.fieldset import children, element, is_granular

_ANY = Schema()


def merge(live: Any, config: Any, schema: Schema) -> Any:
    """`live` with everything that `config` says; maps and keyed lists are merged, all else is replaced."""
    if isinstance(live, dict) and isinstance(config, dict) and is_granular(config, schema):
        merged = dict(live)
        for name, item in config.items():
            below = schema.property(name) or _ANY
            merged[name] = merge(live[name], item, below) if name in live else copy.deepcopy(item)
        return merged
    if isinstance(live, list) and isinstance(config, list) and is_granular(config, schema):
        return _merge_lists(live, config, schema)
    return copy.deepcopy(config)


def _merge_lists(live: list[Any], config: list[Any], schema: Schema) -> list[Any]:
    """Applied items in their own order; the others keep their place before the item that followed them."""
    wanted = {element(item, index, schema) for index, item in enumerate(config)}
    waiting = [(part, item) for part, item, _ in children(live, schema)]
    merged: list[Any] = []
    for index, item in enumerate(config):
        part = element(item, index, schema)
        place = next((at for at, (other, _) in enumerate(waiting) if other == part), None)
        if place is None:
            merged.append(copy.deepcopy(item))
            continue
        merged += [other for name, other in waiting[:place] if name not in wanted]
        merged.append(merge(waiting[place][1], item, schema.items or _ANY))
        waiting = [entry for entry in waiting[:place] if entry[0] in wanted] + waiting[place + 1 :]
    return merged + [other for name, other in waiting if name not in wanted]
