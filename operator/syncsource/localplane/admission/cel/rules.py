"""The rules of a schema (`x-kubernetes-validations`): compiled once, evaluated on an object and its old version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import OMITTED, Cause, child
from syncsource.localplane.admission.cel.environment import runtime_environment
from syncsource.localplane.admission.cel.longrun import TOO_LONG, Failed, Unknown, run_long
from syncsource.localplane.admission.cel.runnable import runnable
from syncsource.localplane.admission.cel.values import to_cel
from syncsource.localplane.admission.schema import Rule, Schema
from syncsource.localplane.admission.validation import correlated, same

_LITERAL = re.compile(r'"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')
_OLD_SELF = re.compile(r"\boldSelf\b")
MAX_MESSAGE_BYTES = 5 * 1024
_STRING = Schema(types=("string",))
_ROOT = {
    "apiVersion": _STRING,
    "kind": _STRING,
    "metadata": Schema(types=("object",), properties={"name": _STRING, "generateName": _STRING}),
}


@dataclass(frozen=True)
class CompiledRule:
    """`kind` is the type of the values."""

    rule: Rule
    is_transition: bool
    expression: str
    message_expression: str
    kind: str

    @cached_property
    def program(self) -> Any:
        return runtime_environment().compile(self.expression)

    @cached_property
    def message_program(self) -> Any:
        return runtime_environment().compile(self.message_expression)


@dataclass(frozen=True, slots=True)
class RuleTree:
    """The compiled rules of one schema node and of the nodes below it; nodes without any are left out.

    `is_about_changes` says that one of them compares with the old value.
    """

    schema: Schema
    rules: tuple[CompiledRule, ...] = ()
    properties: Mapping[str, RuleTree] = field(default_factory=dict)
    items: RuleTree | None = None
    additional: RuleTree | None = None
    is_about_changes: bool = False

    @property
    def is_any(self) -> bool:
        """Whether there is a rule at all."""
        return bool(self.rules or self.properties or self.items or self.additional)


@dataclass(frozen=True, slots=True)
class _Values:
    """What a rule is about, as plain values and as cel-cpp takes them."""

    data: dict[str, Any]
    activation: Any


def as_resource(schema: Schema) -> Schema:
    """`schema` with the meta fields that rules at the root of an object may use."""
    return replace(schema, properties={**schema.properties, **_ROOT})


def build_rules(root: Schema, *, is_resource: bool = False) -> RuleTree:
    """The rules of a schema that has been checked, ready to run."""
    return _tree(as_resource(root) if is_resource else root) or RuleTree(root)


def _tree(schema: Schema) -> RuleTree | None:
    properties = {name: tree for name, sub in schema.properties.items() if (tree := _tree(sub)) is not None}
    items = None if schema.items is None else _tree(schema.items)
    additional = None if schema.additional is None else _tree(schema.additional)
    rules = tuple(_compiled(rule, schema) for rule in schema.rules)
    below = [tree for tree in (*properties.values(), items, additional) if tree is not None]
    if not rules and not below:
        return None
    seen = as_resource(schema) if schema.embedded else schema
    moves = any(rule.is_transition for rule in rules) or any(tree.is_about_changes for tree in below)
    return RuleTree(seen, rules, properties, items, additional, moves)


def _compiled(rule: Rule, schema: Schema) -> CompiledRule:
    uses_old = bool(_OLD_SELF.search(_LITERAL.sub('""', rule.rule)))
    kind = schema.types[0] if len(schema.types) == 1 else ""
    return CompiledRule(rule, uses_old, _bound(rule.rule, rule), _bound(rule.message_expression, rule), kind)


def _bound(expression: str, rule: Rule) -> str:
    if not rule.optional_old_self or not expression:
        return runnable(expression)
    return f"cel.bind(oldSelf, isUpdate ? optional.of(oldSelf) : optional.none(), {runnable(expression)})"


def evaluate(tree: RuleTree, value: Any, old: Any = None, path: str = "", *, ratchet: bool = True) -> Iterator[Cause]:
    """The causes of rules that do not hold.

    Rules about changes are skipped where there is no old value; the others, with `ratchet`, where the value is the old one.
    """
    if value is None:
        return
    unchanged = ratchet and old is not None and same(value, old)
    if unchanged and not tree.is_about_changes:
        return
    if tree.rules:
        yield from _evaluate_node(tree, value, old, path, unchanged=unchanged)
    yield from _evaluate_below(tree, value, old, path, ratchet=ratchet)


def _evaluate_node(tree: RuleTree, value: Any, old: Any, path: str, *, unchanged: bool) -> Iterator[Cause]:
    due = [rule for rule in tree.rules if _is_due(rule, old, unchanged=unchanged)]
    if not due:
        return
    data = {"self": to_cel(value, tree.schema), "isUpdate": old is not None}
    data["oldSelf"] = to_cel(old, tree.schema) if old is not None and any(map(_looks_back, due)) else None
    values = _Values(data, runtime_environment().Activation(data))
    for rule in due:
        found = _evaluate_rule(rule, values, value, path)
        if found is not None:
            yield found


def _looks_back(rule: CompiledRule) -> bool:
    return rule.is_transition or "oldSelf" in rule.message_expression


def _is_due(rule: CompiledRule, old: Any, *, unchanged: bool) -> bool:
    if rule.is_transition:
        return old is not None or rule.rule.optional_old_self
    return not unchanged


def _evaluate_rule(rule: CompiledRule, values: _Values, value: Any, path: str) -> Cause | None:
    result, error = _run(rule.program, values)
    if not error:
        return None if result is True else _failed(rule, values, OMITTED if isinstance(value, dict | list) else value, path)
    shown, kind = rule.rule.message.strip() or rule.rule.rule.strip(), rule.kind
    if error.startswith("no such overload"):
        what = f"'{error}': call arguments did not match a supported operator, function or macro signature for rule: {shown}"
        return cause.invalid(path, kind, what)
    if error == TOO_LONG:
        return cause.invalid(
            path, kind, f"'{error}': no further validation rules will be run due to call cost exceeds limit for rule: {shown}"
        )
    if error == "Invalid timezone" and isinstance(value, str):
        error = f"unknown time zone {value}"
    return cause.invalid(path, kind, f"{error} evaluating rule: {shown}")


def _failed(rule: CompiledRule, values: _Values, shown: Any, path: str) -> Cause:
    where = child(path, rule.rule.field_path) if rule.rule.field_path else path
    message = _message(rule, values)
    match rule.rule.reason:
        case "FieldValueRequired":
            return cause.required(where, message)
        case "FieldValueForbidden":
            return cause.forbidden(where, message)
        case "FieldValueDuplicate":
            return cause.duplicate(where, shown)
        case _:
            return cause.invalid(where, shown, message)


def _message(rule: CompiledRule, values: _Values) -> str:
    if rule.message_expression:
        made, error = _run(rule.message_program, values)
        text = made.strip() if not error and isinstance(made, str) else ""
        if text and "\n" not in text and len(text.encode()) <= MAX_MESSAGE_BYTES:
            return text
    return rule.rule.message.strip() or f"failed rule: {rule.rule.rule.strip()}"


def _run(program: Any, values: _Values) -> tuple[Any, str]:
    """The plain result and no error, or nothing and the error's text."""
    try:
        result = program.eval(values.activation)
    except RuntimeError as wrong:
        if "Iteration budget exceeded" in str(wrong):
            return _run_long(program, values)
        return None, _runtime_text(str(wrong))
    if result.type().name() == "ERROR":
        return None, _runtime_text(str(result.value()))
    return result.plain_value(), ""


def _run_long(program: Any, values: _Values) -> tuple[Any, str]:
    try:
        return run_long(program.serialize(), values.data), ""
    except Failed as failed:
        return None, str(failed)
    except Unknown:
        return None, TOO_LONG


def _runtime_text(text: str) -> str:
    text = re.sub(r" \[[A-Z_]+\]$", "", re.sub(r"^[A-Z_]+: ", "", text))
    missing = re.fullmatch(r'Key not found in map : "(.*)"', text)
    return f"no such key: {missing[1]}" if missing else text


def _evaluate_below(tree: RuleTree, value: Any, old: Any, path: str, *, ratchet: bool) -> Iterator[Cause]:
    if isinstance(value, dict):
        previous = old if isinstance(old, dict) else {}
        for name, item in value.items():
            if name in tree.properties:
                yield from evaluate(tree.properties[name], item, previous.get(name), child(path, name), ratchet=ratchet)
            elif tree.additional is not None and name not in tree.schema.properties:
                yield from evaluate(tree.additional, item, previous.get(name), f"{path}[{name}]", ratchet=ratchet)
    elif isinstance(value, list) and tree.items is not None:
        before = correlated(old, value, tree.schema)
        for index, item in enumerate(value):
            yield from evaluate(tree.items, item, before[index], f"{path}[{index}]", ratchet=ratchet)
