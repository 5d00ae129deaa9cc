"""Checking a rule when its definition is written: does it compile, what does it return, what may it cost."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from syncsource.localplane.admission.cel.ast import Checked, read_checked
from syncsource.localplane.admission.cel.costs import estimate
from syncsource.localplane.admission.cel.decltypes import DeclType
from syncsource.localplane.admission.cel.environment import checking_environment, runtime_environment
from syncsource.localplane.admission.cel.literals import check_literals, check_patterns
from syncsource.localplane.admission.cel.runnable import runnable
from syncsource.localplane.admission.cel.typing_pool import SchemaTypes
from syncsource.localplane.admission.schema import Rule


class DoesNotCompile(Exception):
    """The text says where and why, as the API server does."""


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that compiles: its greatest cost, and whether it looks at the old value."""

    cost: int
    uses_old_self: bool


class Checker:
    """Checks the rules on values of one type."""

    def __init__(self, kind: DeclType) -> None:
        self._kind = kind
        self._types = SchemaTypes(kind)
        self._environments: dict[bool, Any] = {}

    def rule(self, rule: Rule) -> Expression:
        """Check a rule; raises DoesNotCompile."""
        checked = self._checked(rule.rule, rule, "compilation failed")
        if checked[1] != "BOOL":
            raise DoesNotCompile("cel expression must evaluate to a bool")
        return self._expression(checked[0], rule.rule)

    def message(self, rule: Rule) -> Expression:
        """Check a rule's message expression; raises DoesNotCompile."""
        checked = self._checked(rule.message_expression, rule, "messageExpression compilation failed")
        if checked[1] != "STRING":
            raise DoesNotCompile("messageExpression must evaluate to a string")
        return self._expression(checked[0], rule.message_expression)

    def _expression(self, checked: Checked, text: str) -> Expression:
        wrong = check_patterns(checked)
        if wrong:
            raise DoesNotCompile(f"program instantiation failed: {wrong}")
        try:
            runtime_environment().compile(runnable(text))
        except RuntimeError as wrong_here:
            raise DoesNotCompile(f"this server cannot run it: {_in_go(str(wrong_here), text)}") from wrong_here
        return Expression(estimate(checked, self._kind), "oldSelf" in checked.names)

    def _checked(self, text: str, rule: Rule, failure: str) -> tuple[Checked, str]:
        try:
            compiled = self._environment(rule.optional_old_self).compile(text)
        except RuntimeError as wrong:
            raise DoesNotCompile(f"{failure}: {_in_go(str(wrong), text)}") from wrong
        checked = read_checked(compiled.serialize())
        literals = check_literals(checked, text)
        if literals:
            raise DoesNotCompile(f"{failure}: {literals}")
        return checked, str(compiled.return_type().name())

    def _environment(self, optional: bool) -> Any:
        if optional not in self._environments:
            self._environments[optional] = checking_environment(self._types.root, self._types.pool, optional=optional)
        return self._environments[optional]


_WORDS = (
    (r"expression of type ('[^']+') cannot be the operand of a select operation", r"type \1 does not support field selection"),
    (r"cannot be the range of a comprehension", "cannot be range of a comprehension"),
    (r"has\(\) argument must be a field selection", "invalid argument to has() macro"),
    (r"\w+\(\) variable name must be a simple identifier", "argument must be a simple name"),
    (r"(undefined field '[^']+') not found in struct '[^']+'", r"\1"),
    (r"\bnull_type\b", "null"),
    (r"\bschema\.Object\d+\b", "object"),
    (r"\bgoogle\.protobuf\.(Duration|Timestamp)\b", r"\1"),
)


def _in_go(wrong: str, source: str) -> str:
    """cel-cpp's errors in the words of cel-go."""
    text = re.sub(r" \[[A-Z_]+\]$", "", re.sub(r"^[A-Z_]+: (?=ERROR: )", "", wrong))
    for pattern, words in _WORDS:
        text = re.sub(pattern, words, text)
    text = _sorted(
        re.sub(r"(?m)^ERROR: <input>:(\d+):(\d+): undeclared reference to '(\w+)\.[\w.]+'(.*)\n( \| .*)\n.*$", _first_name, text)
    )
    return re.sub(r"(?m)^ERROR: <input>:(\d+):(\d+): found no matching overload for '(\w+)' applied to '\((.+)\)'$", _Members(source), text)


def _first_name(found: re.Match[str]) -> str:
    line, column, name, rest, shown = found.groups()
    place = shown.rfind(name, 0, int(column) + 3) - 3
    return f"ERROR: <input>:{line}:{place + 1}: undeclared reference to '{name}'{rest}\n{shown}\n | {'.' * place}^"


def _sorted(text: str) -> str:
    """The errors by place, without those that only follow from another one."""
    errors = re.split(r"\n(?=ERROR: )", text)
    kept = [error for error in errors if "'*error*'" not in error]
    return "\n".join(sorted(kept, key=_place))


def _place(error: str) -> tuple[int, int]:
    found = re.match(r"ERROR: <input>:(\d+):(\d+)", error)
    return (int(found[1]), int(found[2])) if found else (0, 0)


class _Members:
    """Calls of members are shown as `int.(string)`."""

    def __init__(self, source: str) -> None:
        self._lines = source.split("\n")

    def __call__(self, found: re.Match[str]) -> str:
        line, column, name, types = found.groups()
        before = self._lines[int(line) - 1][: int(column) - 1]
        if not re.search(rf"\.\s*{name}\s*$", before):
            return found[0]
        target, _, rest = types.partition(", ")
        return f"{found[0].partition(' applied to ')[0]} applied to '{target}.({rest})'"
