"""Whether the rules of one schema may be accepted: do they compile, and do they stay within the cost that a definition may have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause, InOrder
from syncsource.localplane.admission.cel.compiler import Checker, DoesNotCompile, Expression
from syncsource.localplane.admission.cel.decltypes import decl_type
from syncsource.localplane.admission.cel.ranges import MAX
from syncsource.localplane.admission.cel.rules import as_resource
from syncsource.localplane.admission.keywords import Place
from syncsource.localplane.admission.schema import Rule, Schema

RULE_LIMIT = 10_000_000
TOTAL_LIMIT = 100_000_000
_KEPT = 4
_ADVICE = "try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared"


@dataclass
class Budget:
    """The estimated costs of all rules of one schema."""

    total: int = 0
    greatest: list[tuple[int, str]] = field(default_factory=list)

    def observe(self, path: str, cost: int) -> None:
        self.total = min(self.total + cost, MAX)
        if cost >= TOTAL_LIMIT // 100:
            self.greatest = sorted([*self.greatest, (cost, path)], key=lambda each: -each[0])[:_KEPT]

    def causes(self, path: str) -> Iterator[Cause]:
        """That all rules together cost too much."""
        if self.total <= TOTAL_LIMIT:
            return
        for _, place in self.greatest:
            yield cause.forbidden(place, "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema")
        name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        yield cause.forbidden(path, _too_much(name, self.total, TOTAL_LIMIT))


def check_rules(raw: dict[str, Any], place: Place, cardinality: int | None, budget: Budget, *, unlimited: bool) -> Iterator[Cause]:
    """What is wrong with the rules of one node.

    `cardinality` is how often the node can be in an object (None: as often as a request holds); `unlimited` spares rules that
    were accepted before.
    """
    path = f"{place.path}.x-kubernetes-validations"
    schema = Schema.parse(raw)
    kind = decl_type(as_resource(schema) if place.is_root or schema.embedded else schema)
    if kind is None:
        detail = "internal error: failed to construct type information for x-kubernetes-validations rules: "
        yield cause.internal_error(path, f"{detail}unable to convert structural schema to CEL declarations")
        return
    checker, times = Checker(kind), cardinality if cardinality is not None else kind.max_cardinality()
    for index, rule in enumerate(schema.rules):
        found = _Rule(rule, raw["x-kubernetes-validations"][index], f"{path}[{index}]", unlimited)
        yield from found.causes(checker, times, budget, place)


@dataclass
class _Rule:
    rule: Rule
    raw: dict[str, Any]
    path: str
    unlimited: bool

    def causes(self, checker: Checker, times: int, budget: Budget, place: Place) -> Iterator[Cause]:
        try:
            compiled = checker.rule(self.rule)
        except DoesNotCompile as wrong:
            yield cause.invalid(f"{self.path}.rule", self._shown(), str(wrong))
            if self.raw.get("optionalOldSelf") is not None:
                yield self._needless()
            return
        cost = min(compiled.cost * times, MAX)
        yield from self._limit("rule", "estimated rule cost", cost)
        budget.observe(f"{self.path}.rule", cost)
        yield from self._message(checker, budget)
        yield from self._old_self(compiled, place)

    def _message(self, checker: Checker, budget: Budget) -> Iterator[Cause]:
        if not self.rule.message_expression:
            return
        try:
            made = checker.message(self.rule)
        except DoesNotCompile as wrong:
            yield cause.invalid(f"{self.path}.messageExpression", self._shown(), str(wrong))
            return
        yield from self._limit("messageExpression", "estimated messageExpression cost", made.cost)
        budget.observe(f"{self.path}.messageExpression", made.cost)

    def _old_self(self, compiled: Expression, place: Place) -> Iterator[Cause]:
        if compiled.uses_old_self and place.uncorrelated:
            detail = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {place.uncorrelated}"
            yield cause.invalid(f"{self.path}.rule", self.rule.rule, detail)
        elif not compiled.uses_old_self and self.raw.get("optionalOldSelf") is not None:
            yield self._needless()

    def _needless(self) -> Cause:
        return cause.invalid(f"{self.path}.optionalOldSelf", self.raw["optionalOldSelf"], "may not be set if oldSelf is not used in rule")

    def _limit(self, where: str, name: str, cost: int) -> Iterator[Cause]:
        if cost > RULE_LIMIT and not self.unlimited:
            yield cause.forbidden(f"{self.path}.{where}", _too_much(name, cost, RULE_LIMIT))

    def _shown(self) -> InOrder:
        names = {"Rule": "rule", "Message": "message", "MessageExpression": "messageExpression"}
        shown = {go: self.raw.get(name) or "" for go, name in names.items()}
        shown |= {"Reason": self.raw.get("reason"), "FieldPath": self.raw.get("fieldPath") or ""}
        return InOrder(shown, OptionalOldSelf=self.raw.get("optionalOldSelf"))


def _too_much(name: str, cost: int, limit: int) -> str:
    factor = cost / limit
    shown = "more than 100" if factor > 100 else f"{factor:f}" if factor < 1.5 else f"{factor:.1f}"
    return f"{name} exceeds budget by factor of {shown}x ({_ADVICE})"
