"""What is wrong with values of single types, wherever they stand (`pkg/apis/*/validation`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from syncsource.localplane.admission.cause import Cause

TypeCheck = Callable[[Mapping[str, Any], str], Iterator[Cause]]
CHECKS: dict[str, TypeCheck] = {}
