"""What a rule may cost at most, as an API server estimates it from the schema (`cel-go/checker/cost.go`).

A definition whose rules could cost too much is refused, so the numbers are part of the API: they must be the server's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from syncsource.localplane.admission.cel.ast import Checked, Expr, Type
from syncsource.localplane.admission.cel.callcosts import Estimate, Node, call_cost
from syncsource.localplane.admission.cel.decltypes import STRING, DeclType
from syncsource.localplane.admission.cel.ranges import MAX, ONE, TRAVERSAL, UNKNOWN, ZERO, Range

Path = tuple[str, ...]
_SCALARS = {"bool", "double", "duration", "int", "timestamp", "uint"}
_COMPARED = {
    f"{word}_{kind}" for word in ("less", "less_equals", "greater", "greater_equals") for kind in ("string", "bytes")
} | {"equals", "not_equals"}  # fmt: skip
_STEP = Range.fixed(1)  # a name or the selection of a field
_CREATE = {"list": Range.fixed(10), "map": Range.fixed(30), "message": Range.fixed(40)}


@dataclass(frozen=True, slots=True)
class _Entry:
    """The sizes of the keys (or indexes) and values of a list or map that the expression makes."""

    kind: str
    key: Range
    value: Range


@dataclass(frozen=True, slots=True)
class _Variable:
    path: Path
    size: Range | None = None
    entry: _Entry | None = None


def estimate(checked: Checked, root: DeclType) -> int:
    """The greatest cost of evaluating the expression on any value of type `root`."""
    return _Coster(checked, root).cost(checked.expr).high


@dataclass
class _Coster:
    checked: Checked
    root: DeclType
    paths: dict[int, Path] = field(default_factory=dict)
    sizes: dict[int, Range] = field(default_factory=dict)
    entries: dict[int, _Entry] = field(default_factory=dict)
    variables: dict[str, list[_Variable]] = field(default_factory=dict)

    def cost(self, expr: Expr) -> Range:
        match expr.kind:
            case "ident":
                variable = self._variable(expr.name)
                self.paths[expr.id] = variable.path if variable else (expr.name,)
                return _STEP
            case "select":
                return self._select(expr)
            case "call":
                return self._call(expr)
            case "list" | "map" | "message":
                return self._create(expr)
            case "comprehension":
                return self._comprehension(expr)
            case _:
                return ZERO

    # -- where a value comes from

    def _type(self, expr: Expr) -> Type:
        return self.checked.types.get(expr.id, Type("dyn"))

    def _variable(self, name: str) -> _Variable | None:
        scopes = self.variables.get(name)
        return scopes[-1] if scopes else None

    def _path(self, expr: Expr) -> Path:
        variable = self._variable(expr.name) if expr.kind == "ident" else None
        return variable.path if variable else self.paths.get(expr.id, ())

    def declared_size(self, path: Path) -> Range | None:
        """The size that the schema allows at a path; None where the path leads nowhere."""
        node: DeclType | None = self.root if path else None
        for name in path[1:]:
            if node is None:
                return None
            match name:
                case "@items" | "@values":
                    node = node.element
                case "@keys":
                    node = STRING if node.kind == "map" else None
                case _:
                    node = node.fields.get(name)
        return None if node is None else Range(0, node.max_elements)

    def _size(self, expr: Expr) -> Range | None:
        if expr.id in self.sizes:
            return self.sizes[expr.id]
        size = _literal_size(expr)
        if size is not None:
            return size
        size = self.declared_size(self._path(expr))
        if size is not None:
            self.sizes[expr.id] = size
            return size
        if _is_scalar(self._type(expr)):
            return ONE
        variable = self._variable(expr.name) if expr.kind == "ident" else None
        return variable.size if variable else None

    def _entry(self, expr: Expr) -> _Entry | None:
        if expr.id in self.entries:
            return self.entries[expr.id]
        variable = self._variable(expr.name) if expr.kind == "ident" else None
        return variable.entry if variable else None

    def _known(self, expr: Expr) -> Range:
        return self._size(expr) or UNKNOWN

    # -- kinds of expressions

    def _select(self, expr: Expr) -> Range:
        (operand,) = expr.operands
        total = self.cost(operand)
        if expr.test_only:
            return total
        if self._type(operand).kind in {"map", "message", "parameter"}:
            total += _STEP
        self.paths[expr.id] = (*self._path(operand), expr.name)
        return total

    def _create(self, expr: Expr) -> Range:
        total = ZERO
        for operand in expr.operands:
            total += self.cost(operand)
        if expr.kind == "list":
            self.entries[expr.id] = _Entry("list", ONE, self._union(expr.operands))
        elif expr.kind == "map":
            self.entries[expr.id] = _Entry("map", self._union(expr.operands[::2]), self._union(expr.operands[1::2]))
        return total + _CREATE[expr.kind]

    def _union(self, items: Sequence[Expr]) -> Range:
        union = Range(MAX if items else 0, 0)
        for item in items:
            union |= self._known(item)
        return union

    def _call(self, expr: Expr) -> Range:
        if expr.name == "dyn" and expr.target is None:
            return self._dyn(expr)
        costs = [self.cost(operand) for operand in expr.operands]
        nodes = [self._node(operand) for operand in expr.operands]
        total, target = ZERO, None
        if expr.target is not None:
            total = self.cost(expr.target)
            target = self._node(expr.target)
        spent, size = Range(MAX, 0), None
        overloads = self.checked.overloads.get(expr.id, ())
        for overload in overloads:
            found = self._overload(expr, overload, target, nodes, costs)
            spent |= found.cost
            if found.size is not None:
                size = found.size if size is None else size | found.size
            size = self._indexed(expr, overload, size)
        if size is not None:
            self.sizes[expr.id] = size
        return total + spent if overloads else ZERO

    def _indexed(self, expr: Expr, overload: str, size: Range | None) -> Range | None:
        step = {"index_list": "@items", "index_map": "@values"}.get(overload)
        if step:
            entry = self._entry(expr.operands[0])
            size = entry.value if entry else None
            self.paths[expr.id] = (*self._path(expr.operands[0]), step)
        return self._size(expr) if size is None else size

    def _dyn(self, expr: Expr) -> Range:
        (operand,) = expr.operands
        spent = self.cost(operand)
        self._copy(expr, operand)
        return spent + ONE

    def _copy(self, to: Expr, source: Expr) -> None:
        size, entry = self._size(source), self._entry(source)
        if size is not None:
            self.sizes[to.id] = size
        if entry is not None:
            self.entries[to.id] = entry

    def _node(self, expr: Expr) -> Node:
        path = self._path(expr)
        return Node(expr, self._type(expr), () if path and path[0] in {"@result", "__result__"} else path, self._size(expr))

    def _overload(self, expr: Expr, overload: str, target: Node | None, nodes: list[Node], costs: list[Range]) -> Estimate:
        arguments = ZERO
        for spent in costs:
            arguments += spent
        known = call_cost(expr.name, overload, target, nodes, self.declared_size)
        if known is not None:
            return Estimate(known.cost + arguments, known.size)
        match overload:
            case "logical_or" | "logical_and":
                return Estimate(Range(costs[0].low, (costs[0] + costs[1]).high))
            case "conditional":
                self._merge(expr, *expr.operands[1:])
                return Estimate(costs[0] + (costs[1] | costs[2]), nodes[1].known | nodes[2].known)
            case "add_string" | "add_bytes" | "add_list":
                self._merge(expr, *expr.operands)
                size = nodes[0].known + nodes[1].known
                return Estimate((ONE if overload == "add_list" else size.scaled(TRAVERSAL)) + arguments, size)
        if overload in _COMPARED:
            least = min(nodes[0].known.high, nodes[1].known.high)
            return Estimate(Range(1 if least else 0, least).scaled(TRAVERSAL) + arguments)
        return Estimate(ONE + arguments)

    def _merge(self, expr: Expr, left: Expr, right: Expr) -> None:
        one, other = self._entry(left), self._entry(right)
        if one and other:
            self.entries[expr.id] = _Entry(one.kind, one.key | other.key, one.value | other.value)

    # -- loops

    def _comprehension(self, expr: Expr) -> Range:
        range_, start, condition, step, result = expr.operands
        *loop_names, accumulator = expr.variables
        is_bind = range_.kind == "list" and not range_.operands and condition.value is False and accumulator not in {"__result__"}
        total = self.cost(range_) + self.cost(start)
        with self._scope(accumulator, _Variable(self._path(start), self._size(start), self._entry(start))):
            if is_bind:
                total += self.cost(result)
                self._copy(expr, result)
                return total
            loop = self._loop(loop_names, range_, condition, step)
            total += self.cost(result)
        count = self._known(range_)
        self._loop_size(expr, count)
        return total + count * loop

    def _loop(self, names: list[str], range_: Expr, condition: Expr, step: Expr) -> Range:
        entry = self._entry(range_)
        is_list = (entry.kind if entry else self._type(range_).kind) == "list"
        key = ("@indices" if is_list else "@keys", entry.key if entry else None)
        value = ("@items" if is_list else "@values", entry.value if entry else None)
        places = [key, value] if len(names) == 2 else [value if is_list else key]
        base = self._path(range_)
        first = _Variable((*base, places[0][0]), places[0][1])
        second = _Variable((*base, places[-1][0]), places[-1][1])
        with self._scope(names[0], first), self._scope(names[-1], second):
            return self.cost(condition) + self.cost(step)

    def _loop_size(self, expr: Expr, count: Range) -> None:
        start, step = expr.operands[1], expr.operands[3]
        if start.kind == "const":
            size = self._size(start)
            if size is not None:
                self.sizes[expr.id] = size
        elif start.kind in {"list", "map"}:
            self.sizes[expr.id] = count
            made = self._entry(step)
            if made:
                self.entries[expr.id] = made

    @contextmanager
    def _scope(self, name: str, variable: _Variable) -> Iterator[None]:
        self.variables.setdefault(name, []).append(variable)
        yield
        self.variables[name].pop()


def _literal_size(expr: Expr) -> Range | None:
    if expr.kind == "const":
        return Range.fixed(len(expr.value) if isinstance(expr.value, str | bytes) else 1)
    if expr.kind == "list":
        return Range.fixed(len(expr.operands))
    return Range.fixed(len(expr.operands) // 2) if expr.kind == "map" else None


def _is_scalar(kind: Type) -> bool:
    if kind.kind == "abstract" and kind.name == "optional_type":
        return _is_scalar(kind.parameters[0])
    return kind.kind in _SCALARS
