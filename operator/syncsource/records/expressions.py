"""JMESPath over JSON whose numbers are int or Decimal: compiled once, exact, with one error of ours."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import partial
from typing import Any, NoReturn

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError
from jmespath.functions import signature

from syncsource.errors import outside_text
from syncsource.records.converting import to_json

_EXACT = Context(prec=2000, traps=[Inexact, InvalidOperation])
_DIGITS = 1000
"""Digits of a number before the point that functions take."""


class ExpressionFailed(JMESPathError):
    """A record is not what the expression is for, such as a function's argument of another type."""


def compiled(expression: str) -> Callable[[Any], Any]:
    """A function from a value to what the expression finds in it. It raises ExpressionFailed."""
    parsed = jmespath.compile(expression)
    _exact_literals(parsed.parsed)
    return partial(_search, parsed.search, jmespath.Options(custom_functions=_Functions()))


def _search(search: Callable[..., Any], options: jmespath.Options, value: Any) -> Any:
    try:
        return search(value, options=options)
    except (JMESPathError, ArithmeticError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ExpressionFailed(outside_text(str(error), 200) or type(error).__name__) from None


def _exact_literals(node: Any) -> None:
    """0.1 in an expression is the decimal that was written, as 0.1 in a record is."""
    if node.get("type") == "literal":
        node["value"] = _exact(node["value"])
    for child in node.get("children", ()):
        if isinstance(child, dict):
            _exact_literals(child)


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, list):
        return [_exact(one) for one in value]
    return {name: _exact(one) for name, one in value.items()} if isinstance(value, dict) else value


class _Functions(functions.Functions):
    """JMESPath's own functions, for which a Decimal is a number, too; none makes a float of it or rounds it in silence."""

    def _get_allowed_pytypes(self, types: Any) -> Any:
        allowed, within = super()._get_allowed_pytypes(types)  # type: ignore[misc]
        return _with_decimal(allowed), [_with_decimal(kinds) for kinds in within]

    def _convert_to_jmespath_type(self, pyobject: str) -> str:
        return "number" if pyobject == "Decimal" else str(super()._convert_to_jmespath_type(pyobject))  # type: ignore[misc]

    @signature({"types": ["number"]})
    def _func_abs(self, arg: Any) -> Any:
        return arg.copy_abs() if isinstance(arg, Decimal) else abs(arg)

    @signature({"types": ["array-number"]})
    def _func_sum(self, arg: list[Any]) -> Any:
        total: Any = 0
        for one in arg:
            total = _EXACT.add(total, one) if isinstance(one, Decimal) or isinstance(total, Decimal) else total + one
        return total

    @signature({"types": ["array-number"]})
    def _func_avg(self, arg: list[Any]) -> Any:
        """Rounded to 28 digits, since a quotient may have no end."""
        return Decimal(self._func_sum(arg)) / len(arg) if arg else None

    @signature({"types": ["number"]})
    def _func_ceil(self, arg: Any) -> Any:
        return math.ceil(_bounded(arg))

    @signature({"types": ["number"]})
    def _func_floor(self, arg: Any) -> Any:
        return math.floor(_bounded(arg))

    @signature({"types": []})
    def _func_to_string(self, arg: Any) -> str:
        return arg if isinstance(arg, str) else to_json(arg)

    @signature({"types": []})
    def _func_to_number(self, arg: Any) -> Any:
        if isinstance(arg, (int, Decimal)) and not isinstance(arg, bool):
            return arg
        if not isinstance(arg, str) or len(arg) > _DIGITS:
            return None
        try:
            number = Decimal(arg)
        except InvalidOperation:
            return None
        return (number if "." in arg or "e" in arg.lower() else int(number)) if number.is_finite() else None

    @signature({"types": []})
    def _func_type(self, arg: Any) -> Any:
        return "number" if isinstance(arg, Decimal) else super()._func_type(arg)  # type: ignore[misc]


def _with_decimal(kinds: Any) -> Any:
    return [*kinds, "Decimal"] if "float" in kinds else kinds


def _bounded(number: Any) -> Any:
    return _too_large() if isinstance(number, Decimal) and number.adjusted() > _DIGITS else number


def _too_large() -> NoReturn:
    raise ExpressionFailed(f"a number of more than {_DIGITS} digits")
