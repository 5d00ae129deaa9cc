"""What is wrong with the names of a CustomResourceDefinition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.admission.objectmeta import dns_1035_label

Raw = Mapping[str, Any]


def check_required(names: Raw) -> Iterator[Cause]:
    """The names that are missing after those that follow from others are there."""
    yield from (cause.required(f"spec.names.{name}") for name in ("plural", "singular", "kind", "listKind") if not names.get(name))


def check_names(names: Raw) -> Iterator[Cause]:
    """The names that are no labels, and those that are two things at once."""
    for name in ("plural", "singular"):
        yield from _label(f"spec.names.{name}", names.get(name))
    for name in ("kind", "listKind"):
        yield from _label(f"spec.names.{name}", names.get(name), "may have mixed case, but should otherwise match: ")
    for index, short in enumerate(names.get("shortNames") or []):
        yield from _label(f"spec.names.shortNames[{index}]", short or "", always=True)
    if names.get("kind") and names["kind"] == names.get("listKind"):
        yield cause.invalid("spec.names.listKind", names["listKind"], "kind and listKind may not be the same")
    for index, category in enumerate(names.get("categories") or []):
        yield from _label(f"spec.names.categories[{index}]", category or "", always=True)


def _label(path: str, value: str | None, prefix: str = "", *, always: bool = False) -> Iterator[Cause]:
    if not value and not always:
        return
    wrong = ",".join(dns_1035_label((value or "").lower() if prefix else value or ""))
    if wrong:
        yield cause.invalid(path, value or "", prefix + wrong)
