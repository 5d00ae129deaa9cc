"""What may be told of a record at fault where a value of it is sensitive."""

from __future__ import annotations

import pytest

from syncsource.engine.masking import Mask
from syncsource.resource.fields import FieldSpec

PLAIN = FieldSpec(name="total", type="integer")
SECRET = FieldSpec(name="phone", type="integer", sensitive=True)


@pytest.mark.parametrize(
    ("reason", "message", "field", "told"),
    [
        ("InvalidValue", "total: 'x' is not an integer", "total", True),
        ("InvalidValue", "total: 'x' is not an integer", None, True),
        ("MissingKey", "phone: a field of the key is missing or null", "phone", True),
        ("NotAnObject", "a record must be a JSON object, not str", None, True),
        ("", "", None, True),
        ("InvalidValue", "phone: '0812' is not an integer", "phone", False),
        ("InvalidValue", "phone: '0812' is not an integer", None, False),
        ("RuleBroken", "0812 is wrong", None, False),
        ("RaggedLine", "the line is 1,0812", None, False),
        ("ConstraintViolation", "Key (phone)=(0812) already exists", None, False),
        ("PathFailed", "total: the path can't be applied: 0812", "total", False),
    ],
)
def test_words_that_may_quote_a_sensitive_value_are_masked(reason: str, message: str, field: str | None, told: bool) -> None:
    words = Mask([PLAIN, SECRET]).words(reason, message, field)
    assert (words == message) is told
    assert "0812" not in words
    assert Mask([PLAIN]).words(reason, message, field) == message, "nothing is sensitive, nothing is masked"
