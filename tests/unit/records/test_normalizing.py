"""Normalisers: what they make of texts, and that doing it twice changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsource.records.normalizing import NORMALIZERS, normalizer


@pytest.mark.parametrize(
    ("names", "value", "expected"),
    [
        (["trim"], "  a b ", "a b"),
        (["collapse"], " a \t b\n", "a b"),
        (["lower"], "ÄB", "äb"),
        (["upper"], "straße", "STRASSE"),
        (["fold"], "José  STRASSE", "jose  strasse"),
        (["fold"], "İstanbul ﬁn Ⅳ", "istanbul fin iv"),
        (["digits"], "+62 812-3456", "628123456"),
        (["digits"], "\u0661\u0662 x", "12"),
        (["fold", "collapse", "upper"], " José  X ", "JOSE X"),
        (["digits"], "none", None),
        (["trim"], " ", None),
        (["digits"], 5, 5),
        (["lower"], None, None),
    ],
)
def test_what_they_make_of_a_value(names: list[str], value: object, expected: object) -> None:
    assert normalizer(names)([value]) == [expected]
    assert normalizer(names)([value, None, "", 7]) == [expected, None, None, 7], "value by value as all at once"


@pytest.mark.parametrize("name", NORMALIZERS)
@given(text=st.text() | st.text(st.characters(categories=["Ll", "Lu", "Lt", "Mn", "Mc", "Nd", "Lm"])))
def test_each_is_idempotent(name: str, text: str) -> None:
    once = NORMALIZERS[name](text)
    assert NORMALIZERS[name](once) == once
