"""Rules whose loops are longer than cel-cpp goes (10,000 rounds), up to what an API server allows one rule.

Only what such rules are made of: loops, fields, comparisons, logic, sizes and plain tests of text. Anything else is Unknown.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from syncsource.localplane.admission.cel.ast import Expr, read_checked
from syncsource.localplane.admission.patterns import compile_pattern
from syncsource.localplane.admission.validation import same

MAX_STEPS = 1_000_000
TOO_LONG = "operation cancelled: actual cost limit exceeded"
Scope = Mapping[str, Any]


class Unknown(Exception):
    """The rule uses something that is not here."""


class Failed(Exception):
    """The rule fails with this text."""


def run_long(serialized: bytes, values: Scope) -> Any:
    """The value of an expression that cel-cpp has compiled; raises Failed, and Unknown for what can't be told."""
    return _Run().evaluate(read_checked(serialized).expr, values)


class _Run:
    def __init__(self) -> None:
        self._steps = 0

    def evaluate(self, expr: Expr, scope: Scope) -> Any:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise Failed(TOO_LONG)
        match expr.kind:
            case "const":
                return expr.value
            case "ident" if expr.name in scope:
                return scope[expr.name]
            case "list":
                return [self.evaluate(item, scope) for item in expr.operands]
            case "select":
                return self._select(expr, scope)
            case "call":
                return self._call(expr, scope)
            case "comprehension":
                return self._loop(expr, scope)
        raise Unknown(expr.kind)

    def _select(self, expr: Expr, scope: Scope) -> Any:
        value = self.evaluate(expr.operands[0], scope)
        if not isinstance(value, dict):
            raise Unknown(expr.name)
        if expr.test_only:
            return expr.name in value
        if expr.name not in value:
            raise Failed(f"no such key: {expr.name}")
        return value[expr.name]

    def _call(self, expr: Expr, scope: Scope) -> Any:
        if expr.name in {"_&&_", "_||_"}:
            return self._logic(expr.operands, scope, stop=expr.name == "_||_")
        if expr.name == "_?_:_":
            return self.evaluate(expr.operands[1 if self.evaluate(expr.operands[0], scope) else 2], scope)
        if expr.name == "@not_strictly_false":
            return self._not_strictly_false(expr.operands[0], scope)
        function = _FUNCTIONS.get(expr.name)
        if function is None:
            raise Unknown(expr.name)
        operands = [*([expr.target] if expr.target else []), *expr.operands]
        try:
            return function(*(self.evaluate(operand, scope) for operand in operands))
        except TypeError as wrong:
            raise Unknown(expr.name) from wrong

    def _logic(self, operands: tuple[Expr, ...], scope: Scope, *, stop: bool) -> bool:
        """An operand that fails does not matter where the other one decides."""
        failure: Failed | None = None
        for operand in operands:
            try:
                if self.evaluate(operand, scope) is stop:
                    return bool(stop)
            except Failed as failed:
                if str(failed) == TOO_LONG:
                    raise
                failure = failed
        if failure is not None:
            raise failure
        return not stop

    def _not_strictly_false(self, expr: Expr, scope: Scope) -> bool:
        return bool(self.evaluate(expr, scope) is not False)

    def _loop(self, expr: Expr, scope: Scope) -> Any:
        range_, start, condition, step, result = expr.operands
        *names, accumulator = expr.variables
        items = self.evaluate(range_, scope)
        if len(names) != 1 or not isinstance(items, list | dict):
            raise Unknown("range")
        inner = {**scope, accumulator: self.evaluate(start, scope)}
        for item in items:
            inner[names[0]] = item
            if self.evaluate(condition, inner) is False:
                break
            try:
                inner[accumulator] = self.evaluate(step, inner)
            except Failed as failed:  # a later round could still decide
                raise failed if str(failed) == TOO_LONG else Unknown("failure") from failed
        return self.evaluate(result, inner)


def _index(value: Any, key: Any) -> Any:
    if isinstance(value, list) and not 0 <= key < len(value):
        raise Failed(f"index out of bounds: {key}")
    if isinstance(value, dict) and key not in value:
        raise Failed(f"no such key: {key}")
    return value[key]


def _holds(container: Any, item: Any) -> bool:
    return bool(item in container if isinstance(container, dict) else any(same(each, item) for each in container))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "_==_": same,
    "_!=_": lambda left, right: not same(left, right),
    "_<_": operator.lt,
    "_<=_": operator.le,
    "_>_": operator.gt,
    "_>=_": operator.ge,
    "_+_": operator.add,
    "_-_": operator.sub,
    "!_": operator.not_,
    "_[_]": _index,
    "@in": lambda item, container: _holds(container, item),
    "size": len,
    "startsWith": lambda text, start: text.startswith(start),
    "endsWith": lambda text, end: text.endswith(end),
    "contains": lambda text, part: part in text,
    "matches": lambda text, pattern: compile_pattern(pattern).search(text) is not None,
}
