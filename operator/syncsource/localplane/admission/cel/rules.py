"""The rules of a schema (`x-kubernetes-validations`): compiled once, evaluated on an object and its old version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import OMITTED, Cause, child
from syncsource.localplane.admission.cel.environment import make_environment, runtime_environment
from syncsource.localplane.admission.cel.typing_pool import SchemaTypes
from syncsource.localplane.admission.cel.values import to_cel
from syncsource.localplane.admission.schema import Rule, Schema
from syncsource.localplane.admission.validation import correlated, same

_LITERAL = re.compile(r'"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')
_OLD_SELF = re.compile(r"\boldSelf\b")
_STRING = Schema(types=("string",))
_ROOT = {
    "apiVersion": _STRING,
    "kind": _STRING,
    "metadata": Schema(types=("object",), properties={"name": _STRING, "generateName": _STRING}),
}


class RuleDoesNotCompile(Exception):
    """The text is cel-cpp's, with the line and a mark below the place."""


@dataclass(frozen=True)
class CompiledRule:
    rule: Rule
    is_transition: bool
    expression: str
    message_expression: str

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
    def is_empty(self) -> bool:
        return not (self.rules or self.properties or self.items or self.additional)


def as_resource(schema: Schema) -> Schema:
    """`schema` with the meta fields that rules at the root of an object may use."""
    return replace(schema, properties={**schema.properties, **_ROOT})


class RuleCompiler:
    """Compiles the rules of one schema; what is wrong is collected in `causes`, by the path of the rule."""

    def __init__(self, root: Schema, path: str) -> None:
        self.root = as_resource(root)
        self.path = path
        self.causes: list[Cause] = []

    def compile(self) -> RuleTree:
        return self._tree(self.root, self.path, correlatable=True) or RuleTree(self.root)

    @cached_property
    def _types(self) -> SchemaTypes:
        return SchemaTypes(self.root)

    def _tree(self, schema: Schema, path: str, *, correlatable: bool) -> RuleTree | None:
        rules = tuple(
            compiled
            for index, rule in enumerate(schema.rules)
            if (compiled := self._rule(rule, schema, f"{path}.x-kubernetes-validations[{index}]", correlatable)) is not None
        )
        below = correlatable and schema.map_type != "atomic"
        properties = {
            name: tree
            for name, sub in schema.properties.items()
            if (tree := self._tree(sub, f"{path}.properties[{name}]", correlatable=below)) is not None
        }
        items = self._optional(schema.items, f"{path}.items", correlatable and schema.list_type == "map")
        additional = self._optional(schema.additional, f"{path}.additionalProperties", below)
        parts = [*properties.values(), *filter(None, (items, additional))]
        changes = any(rule.is_transition for rule in rules) or any(part.is_about_changes for part in parts)
        tree = RuleTree(schema, rules, properties, items, additional, changes)
        return None if tree.is_empty else tree

    def _optional(self, schema: Schema | None, path: str, correlatable: bool) -> RuleTree | None:
        return None if schema is None else self._tree(schema, path, correlatable=correlatable)

    def _rule(self, rule: Rule, schema: Schema, path: str, correlatable: bool) -> CompiledRule | None:
        uses_old = bool(_OLD_SELF.search(_LITERAL.sub('""', rule.rule)))
        if uses_old and not correlatable:
            detail = "oldSelf cannot be used on the uncorrelatable portion of the schema"
            self.causes.append(cause.invalid(f"{path}.rule", rule.rule, detail))
            return None
        compiled = CompiledRule(rule, uses_old, _bound(rule.rule, rule), _bound(rule.message_expression, rule))
        try:
            self._check(rule.rule, schema, rule, "BOOL", "cel expression must evaluate to a bool")
            if rule.message_expression:
                self._check(rule.message_expression, schema, rule, "STRING", "must evaluate to a string")
        except RuleDoesNotCompile as wrong:
            self.causes.append(cause.invalid(f"{path}.rule", rule.rule, str(wrong)))
            return None
        return compiled

    def _check(self, expression: str, schema: Schema, rule: Rule, wanted: str, otherwise: str) -> None:
        if not expression.strip():
            raise RuleDoesNotCompile("rule is not specified")
        try:
            returned = self._environment(schema, rule).compile(_bound(expression, rule)).return_type()
        except RuntimeError as wrong:
            raise RuleDoesNotCompile(f"compilation failed: {_compiler_text(wrong)}") from wrong
        if returned.name() not in {wanted, "DYN"}:
            raise RuleDoesNotCompile(otherwise)

    def _environment(self, schema: Schema, rule: Rule) -> Any:
        if self._types is None:
            return runtime_environment()
        if id(schema) not in self._environments:
            kind = self._types.type_of(schema)
            variables = {"self": kind, "oldSelf": kind, "isUpdate": _bool_type()}
            self._environments[id(schema)] = make_environment(variables, self._types.pool, checking=True)
        return self._environments[id(schema)]

    @cached_property
    def _environments(self) -> dict[int, Any]:
        return {}


def _bool_type() -> Any:
    from cel_expr_python import cel

    return cel.Type.BOOL


def _bound(expression: str, rule: Rule) -> str:
    if not rule.optional_old_self or not expression:
        return expression
    return f"cel.bind(oldSelf, isUpdate ? optional.of(oldSelf) : optional.none(), {expression})"


def _compiler_text(wrong: Exception) -> str:
    text = re.sub(r" \[[A-Z_]+\]$", "", str(wrong))
    text = re.sub(r"^[A-Z_]+: ", "", text)
    text = re.sub(r" \(in container ''\)", " (in container '')", text)
    return re.sub(r"(undefined field '[^']+') not found in struct '[^']+'", r"\1", text)


def evaluate(tree: RuleTree, value: Any, old: Any = None, path: str = "") -> Iterator[Cause]:
    """The causes of rules that do not hold; rules about changes are skipped where there is no old value."""
    if value is None or (old is not None and not tree.is_about_changes and same(value, old)):
        return
    if tree.rules:
        yield from _evaluate_node(tree, value, old, path)
    yield from _evaluate_below(tree, value, old, path)


def _evaluate_node(tree: RuleTree, value: Any, old: Any, path: str) -> Iterator[Cause]:
    unchanged = old is not None and same(value, old)
    rules = [rule for rule in tree.rules if _is_due(rule, old, unchanged=unchanged)]
    if not rules:
        return
    data = {"self": to_cel(value, tree.schema), "isUpdate": old is not None}
    data["oldSelf"] = to_cel(old, tree.schema) if old is not None else None
    activation = runtime_environment().Activation(data)
    for rule in rules:
        found = _evaluate_rule(rule, activation, value, path)
        if found is not None:
            yield found


def _is_due(rule: CompiledRule, old: Any, *, unchanged: bool) -> bool:
    """What held before is not asked again, unless it is about the change."""
    if rule.is_transition:
        return old is not None or rule.rule.optional_old_self
    return not unchanged


def _evaluate_rule(rule: CompiledRule, activation: Any, value: Any, path: str) -> Cause | None:
    shown = OMITTED if isinstance(value, dict | list) else value
    result, error = _run(rule.program, activation)
    if error:
        text = rule.rule.rule.strip()
        if "no matching overload" in error.lower() or error.startswith("no such overload"):
            what = f"'{error}': call arguments did not match a supported operator, function or macro signature for rule: {text}"
            return cause.invalid(path, shown, what)
        return cause.invalid(path, shown, f"{error} evaluating rule: {text}")
    return None if result is True else _failed(rule, activation, shown, path)


def _failed(rule: CompiledRule, activation: Any, shown: Any, path: str) -> Cause:
    where = child(path, rule.rule.field_path) if rule.rule.field_path else path
    message = _message(rule, activation)
    match rule.rule.reason:
        case "FieldValueRequired":
            return cause.required(where, message)
        case "FieldValueForbidden":
            return cause.forbidden(where, message)
        case "FieldValueDuplicate":
            return cause.duplicate(where, shown, message)
        case _:
            return cause.invalid(where, shown, message)


def _message(rule: CompiledRule, activation: Any) -> str:
    if rule.message_expression:
        made, error = _run(rule.message_program, activation)
        if not error and isinstance(made, str) and made.strip() and "\n" not in made:
            return made.strip()
    return rule.rule.message or f"failed rule: {rule.rule.rule.strip()}"


def _run(program: Any, activation: Any) -> tuple[Any, str]:
    """The plain result and no error, or nothing and the error's text."""
    try:
        result = program.eval(activation)
    except RuntimeError as wrong:
        return None, _runtime_text(str(wrong))
    if result.type().name() == "ERROR":
        return None, _runtime_text(str(result.value()))
    return result.plain_value(), ""


def _runtime_text(text: str) -> str:
    text = re.sub(r" \[[A-Z_]+\]$", "", re.sub(r"^[A-Z_]+: ", "", text))
    missing = re.fullmatch(r'Key not found in map : "(.*)"', text)
    return f"no such key: {missing[1]}" if missing else text


def _evaluate_below(tree: RuleTree, value: Any, old: Any, path: str) -> Iterator[Cause]:
    if isinstance(value, dict):
        previous = old if isinstance(old, dict) and tree.schema.map_type != "atomic" else {}
        for name, item in value.items():
            below = tree.properties.get(name) or (tree.additional if name not in tree.schema.properties else None)
            if below is not None:
                yield from evaluate(below, item, previous.get(name), child(path, name))
    elif isinstance(value, list) and tree.items is not None:
        for index, item in enumerate(value):
            before = correlated(old, index, item, tree.schema) if tree.schema.list_type == "map" else None
            yield from evaluate(tree.items, item, before, f"{path}[{index}]")
