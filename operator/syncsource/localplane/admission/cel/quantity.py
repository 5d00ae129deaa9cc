"""Resource quantities such as `1500m`, `2Gi` or `1e3` (`k8s.io/apimachinery/pkg/api/resource`)."""

from __future__ import annotations

import re
from fractions import Fraction

_SUFFIXES: dict[str, Fraction | int] = {
    "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1),
    "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60,
}  # fmt: skip
_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:([eE])([+-]?[0-9]{1,2})|([numkMGTPE]|[KMGTPE]i)?)")


def parse_quantity(text: str) -> Fraction:
    """The exact amount; raises ValueError."""
    found = _QUANTITY.fullmatch(text)
    if not found:
        raise ValueError(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        )
    number = Fraction(found[1].rstrip(".") if found[1].endswith(".") else found[1])
    if found[2]:
        return number * Fraction(f"1e{int(found[3])}")
    return number * _SUFFIXES[found[4] or ""]
