"""docs/traps.md says which test holds each promise: it names tests that are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LATER = "not there yet"
NAMED = re.compile(r"`([^`\s]+\.py)::(\w+)`")


def _rows() -> list[str]:
    lines = (ROOT / "docs" / "traps.md").read_text().splitlines()
    return [line for line in lines if line.startswith("| **")]


@cache
def _tests(file: str) -> frozenset[str]:
    """The tests of a file; none where there is no such file."""
    path = ROOT / "tests" / file
    body = ast.parse(path.read_text()).body if path.is_file() else []
    return frozenset(one.name for one in body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name.startswith("test_"))


def test_every_line_of_the_tables_is_looked_at() -> None:
    lines = (ROOT / "docs" / "traps.md").read_text().splitlines()
    others = {line for line in lines if line.startswith("|")} - set(_rows())
    assert others == {"| what went wrong | here | tests |", "|---|---|---|"}


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.split("**")[1])
def test_a_trap_has_its_tests(row: str) -> None:
    _trap, here, tests = (cell.strip() for cell in row.strip("|").split(" |"))
    named = NAMED.findall(tests)
    assert bool(named) != (LATER in here), "name a test, or say that it is not there yet"
    assert tests.count("::") == len(named), "a test is named `file.py::function`"
    assert [f"{file}::{name}" for file, name in named if name not in _tests(file)] == []
