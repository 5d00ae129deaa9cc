"""Literals that can be checked before a rule runs: expressions, instants, durations, and lists and maps of one type."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from syncsource.localplane.admission.cel.ast import Checked, Expr, Type, walk
from syncsource.localplane.admission.formats import parse_date_time
from syncsource.localplane.admission.patterns import compile_pattern

_GO_DURATION = re.compile(r"[-+]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)")


def check_literals(checked: Checked, source: str) -> str:
    """The errors of literals that no value of the object could mend, with the lines that they are on; empty if there is none."""
    found = [*_arguments(checked), *_mixed(checked)]
    return "\n".join(_shown(source, checked.positions.get(expr.id, 0), text) for expr, text in found)


def check_patterns(checked: Checked) -> str:
    """The error of the first regular expression that `find` and `findAll` can't use; empty if there is none."""
    for expr in walk(checked.expr):
        if expr.name in {"find", "findAll"} and expr.operands and isinstance(expr.operands[0].value, str):
            try:
                compile_pattern(expr.operands[0].value)
            except ValueError as wrong:
                return str(wrong)
    return ""


def _duration(text: str) -> None:
    if not _GO_DURATION.fullmatch(text):
        raise ValueError(text)


_PARSERS: dict[str, Callable[[str], object]] = {"matches": compile_pattern, "duration": _duration, "timestamp": parse_date_time}


def _arguments(checked: Checked) -> Iterator[tuple[Expr, str]]:
    for expr in walk(checked.expr):
        parse = _PARSERS.get(expr.name) if expr.kind == "call" else None
        literal = expr.operands[-1] if parse and expr.operands else None
        if parse is None or literal is None or not isinstance(literal.value, str):
            continue
        try:
            parse(literal.value)
        except ValueError:
            yield literal, f"invalid {expr.name} argument"


def _mixed(checked: Checked) -> Iterator[tuple[Expr, str]]:
    formatted = {expr.operands[0].id for expr in walk(checked.expr) if expr.name == "format" and expr.operands}
    for expr in walk(checked.expr):
        if expr.kind == "list" and expr.id not in formatted:
            yield from _differing(checked, expr.operands)
        elif expr.kind == "map":
            yield from _differing(checked, expr.operands[::2])
            yield from _differing(checked, expr.operands[1::2])


def _differing(checked: Checked, items: tuple[Expr, ...]) -> Iterator[tuple[Expr, str]]:
    types = [checked.types.get(item.id, Type("dyn")) for item in items]
    for item, kind in zip(items, types, strict=True):
        if kind != types[0]:
            yield item, f"expected type '{_spelled(types[0])}' but found '{_spelled(kind)}'"
            return


def _spelled(kind: Type) -> str:
    if not kind.parameters:
        return kind.name or kind.kind
    return f"{kind.name or kind.kind}({', '.join(map(_spelled, kind.parameters))})"


def _shown(source: str, offset: int, text: str) -> str:
    line, start = source.count("\n", 0, offset), source.rfind("\n", 0, offset) + 1
    column = offset - start
    return f"ERROR: <input>:{line + 1}:{column + 1}: {text}\n | {source.split(chr(10))[line]}\n | {'.' * column}^"
