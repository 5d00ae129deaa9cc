"""Fields that nobody declared: conservative, and stable for the same records."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsource.records.inferring import NOTHING, inferred, left_out
from syncsource.records.types import field_type


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, None, 2**63 - 1], "integer"),
        ([1, 2**63], "decimal(38,10)"),
        ([10**40], "text"),
        ([1, Decimal("1.5")], "decimal(38,10)"),
        ([Decimal("1e-11")], "text"),
        ([Decimal("1e400")], "text"),
        ([True, False], "boolean"),
        ([True, 1], "text"),
        ([1, "1"], "text"),
        (["1", "2"], "text"),
        (["2026-01-31"], "date"),
        (["2026-01-31", "0000-01-01"], "text"),
        (["2026-01-31T12:00:00Z", "2026-01-31 12:00:00+0700"], "timestamp"),
        (["2026-01-31T12:00:00"], "text"),
        (["2026-01-31T12:00:00.1234567Z"], "text"),
        (["6fa459ea-ee8a-3ca4-894e-db77e160355e"], "uuid"),
        ([{}, "x"], "json"),
        ([[1]], "json"),
        ([None], NOTHING),
        ([""], "text"),
    ],
)
def test_types_by_all_values_of_the_page(values: list[Any], kind: str) -> None:
    assert inferred([{"v": value} for value in values]) == {"v": kind}


def test_names_come_in_the_order_of_their_appearance_and_what_is_no_object_has_none() -> None:
    assert list(inferred([{"b": 1}, "x", {"a": 1, "b": 2}])) == ["b", "a"]
    assert inferred(["x", 5]) == {}


def test_a_record_with_endless_names_gives_no_more_fields_than_a_spec_may_have() -> None:
    assert len(inferred([{f"f{number}": 1 for number in range(10_000)}])) == 500


@pytest.mark.parametrize("name", ["", "x" * 64, "ж" * 32, "a\x1b[31m", "a\nb", "a\x00", "\u202ea", "\ud800"])
def test_a_name_that_no_column_can_have_is_left_out_and_told(name: str) -> None:
    records = [{"id": 1, name: "v"}]
    assert inferred(records) == {"id": "integer"}
    assert left_out(records, inferred(records)) == [name]


@pytest.mark.parametrize("name", ["x" * 63, "ж" * 31, " Guest  name", "größe", "a.b", '"', "日本"])
def test_any_other_name_is_taken(name: str) -> None:
    assert inferred([{name: 1}]) == {name: "integer"}


scalars = st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text() | st.dates().map(str)


@given(st.lists(st.dictionaries(st.text(max_size=3), scalars | st.lists(scalars), max_size=4), max_size=6))
def test_every_value_of_the_page_fits_the_type_that_it_gave(records: list[dict[str, Any]]) -> None:
    kinds = inferred(records)
    for record in records:
        for name, value in record.items():
            if name in kinds and value is not None and not (isinstance(value, str) and "\x00" in value):
                field_type(kinds[name]).convert(value)
