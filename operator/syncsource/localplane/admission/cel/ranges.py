"""Ranges of sizes and costs, in the saturating unsigned 64-bit numbers that the estimates of an API server are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest of a size or a cost."""

    low: int
    high: int

    @classmethod
    def fixed(cls, value: int) -> Range:
        return cls(value, value)

    def __add__(self, other: Range) -> Range:
        return Range(min(self.low + other.low, MAX), min(self.high + other.high, MAX))

    def __mul__(self, other: Range) -> Range:
        return Range(min(self.low * other.low, MAX), min(self.high * other.high, MAX))

    def __or__(self, other: Range) -> Range:
        return Range(min(self.low, other.low), max(self.high, other.high))

    def scaled(self, factor: float) -> Range:
        """Times the factor, rounded up."""
        return Range(_scaled(self.low, factor), _scaled(self.high, factor))


def _scaled(value: int, factor: float) -> int:
    scaled = float(value) * factor
    return MAX if scaled >= float(MAX) else math.ceil(scaled)


ZERO, ONE = Range.fixed(0), Range.fixed(1)
UNKNOWN = Range(0, MAX)
TRAVERSAL = 0.1  # of a string, per character
REGEX = 0.25  # of an expression, per character
