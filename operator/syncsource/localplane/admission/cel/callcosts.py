"""The cost of calls whose arguments have a size (`k8s.io/apiserver/pkg/cel/library/cost.go` and cel-go's own O(n) functions)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from syncsource.localplane.admission.cel.ast import Expr, Type
from syncsource.localplane.admission.cel.declarations import CIDR, FORMAT, IP, QUANTITY, SEMVER, URL
from syncsource.localplane.admission.cel.ranges import MAX, ONE, REGEX, TRAVERSAL, UNKNOWN, ZERO, Range

Declared = Callable[[tuple[str, ...]], Range | None]
_FORMAT_REGEX = 128  # what a named format's expression may have, in characters
_CONSTANT = frozenset(
    [
        "serviceAccount", "path", "group", "resource", "subresource", "namespace", "name", "allowed", "reason", "error", "errored",
        "masked", "prefixLength", "family", "isUnspecified", "isLoopback", "isLinkLocalMulticast", "isLinkLocalUnicast",
        "isGlobalUnicast", "format.named", "sign", "asInteger", "isInteger", "asApproximateFloat", "isGreaterThan", "isLessThan",
        "compareTo", "add", "sub", "major", "minor", "patch", "getScheme", "getHostname", "getHost", "getPort", "getEscapedPath",
        "getQuery",
    ]
)  # fmt: skip
_SMALL = frozenset({IP, CIDR, QUANTITY, SEMVER})


@dataclass(frozen=True, slots=True)
class Estimate:
    """The cost of a call, and the size of its result where it has one."""

    cost: Range
    size: Range | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A target or an argument. `path` is empty where the value is not a part of the object; `size` is None where unknown."""

    expr: Expr | None
    type: Type
    path: tuple[str, ...]
    size: Range | None

    @property
    def known(self) -> Range:
        return self.size or UNKNOWN


def call_cost(name: str, overload: str, target: Node | None, arguments: Sequence[Node], declared: Declared) -> Estimate | None:
    """The cost of the call without that of its arguments; None where it is the same for all sizes."""
    if name in _CONSTANT:
        return Estimate(ONE)
    by_name = _BY_NAME.get(name) or _BY_OVERLOAD.get(overload)
    nodes = [*([target] if target else []), *arguments]
    return by_name(overload, nodes, declared) if by_name else None


def _element(node: Node, declared: Declared) -> Node | None:
    if not node.type.parameters:
        return None
    path = (*node.path, "@items") if node.path else ()
    return Node(None, node.type.parameters[0], path, declared(path))


def _traverse(_: str, nodes: Sequence[Node], __: Declared) -> Estimate:
    return Estimate(nodes[0].known.scaled(TRAVERSAL))


def _twice(_: str, nodes: Sequence[Node], __: Declared) -> Estimate:
    return Estimate(nodes[0].known.scaled(2 * TRAVERSAL))


def _same_size(_: str, nodes: Sequence[Node], __: Declared) -> Estimate:
    return Estimate(nodes[0].known.scaled(TRAVERSAL), nodes[0].known)


def _over_list(_: str, nodes: Sequence[Node], declared: Declared) -> Estimate:
    element = _element(nodes[0], declared)
    if element is None:
        return Estimate(nodes[0].known.scaled(TRAVERSAL))
    each = ONE
    if element.type.kind in {"string", "bytes"}:
        each += element.known.scaled(TRAVERSAL)
    return Estimate(nodes[0].known * each)


def _replace(_: str, nodes: Sequence[Node], __: Declared) -> Estimate | None:
    if len(nodes) < 3:
        return None
    text, old, new = (node.known for node in nodes[:3])
    most, kept_most = _longest(text.high, old.low, new.high)
    least, kept_least = _shortest(text.low, old.high, new.low)
    size = Range(least, most) * new + Range(kept_least, kept_most)
    return Estimate(text.scaled(2 * TRAVERSAL), size)


def _longest(text: int, old: int, new: int) -> tuple[int, int]:
    """How often at most something is replaced, and how much of the text is kept then."""
    if old == 0:
        return min(text + 1, MAX), text
    return (0, text) if new <= old else (_divided(text, old), 0)


def _shortest(text: int, old: int, new: int) -> tuple[int, int]:
    if old == 0:
        return min(text + 1, MAX), text
    return (0, text) if old <= new else (_divided(text, old), 0)


def _divided(size: int, by: int) -> int:
    return min(math.ceil(float(size) / float(by)), MAX)


def _split(_: str, nodes: Sequence[Node], __: Declared) -> Estimate:
    most = nodes[0].known.high
    limit = nodes[2].expr.value if len(nodes) > 2 and nodes[2].expr else None
    if isinstance(limit, int):
        most = limit % 2**64
    return Estimate(nodes[0].known.scaled(2 * TRAVERSAL), Range(0, most))


def _join(_: str, nodes: Sequence[Node], declared: Declared) -> Estimate:
    items, element = nodes[0].known, _element(nodes[0], declared)
    size = items * element.known if element else ZERO
    if len(nodes) > 1:
        size += nodes[1].known * Range(max(items.low - 1, 0), max(items.high - 1, 0))
    return Estimate(size.scaled(TRAVERSAL), size)


def _matching(nodes: Sequence[Node]) -> Range:
    return (nodes[0].known + ONE).scaled(TRAVERSAL) * nodes[1].known.scaled(REGEX)


def _find(_: str, nodes: Sequence[Node], __: Declared) -> Estimate:
    return Estimate(_matching(nodes), Range(0, nodes[0].known.high))


def _matches(_: str, nodes: Sequence[Node], __: Declared) -> Estimate:
    return Estimate(_matching(nodes))


def _ip(overload: str, nodes: Sequence[Node], declared: Declared) -> Estimate:
    return Estimate(ONE) if overload == f"ip({CIDR})" else _traverse(overload, nodes, declared)


def _contains_address(overload: str, nodes: Sequence[Node], _: Declared) -> Estimate:
    bytes_ = Range(4, 16)
    spent = (bytes_ + bytes_).scaled(TRAVERSAL)
    if overload.startswith("containsCIDR"):
        spent += bytes_.scaled(TRAVERSAL) + ONE
    return Estimate(spent + nodes[1].known.scaled(TRAVERSAL) if overload.endswith("string)") else spent)


def _validate(_: str, nodes: Sequence[Node], __: Declared) -> Estimate:
    return Estimate(nodes[1].known.scaled(TRAVERSAL).scaled(_FORMAT_REGEX * REGEX))


def _equal(_: str, nodes: Sequence[Node], __: Declared) -> Estimate | None:
    left, right = nodes[0].type, nodes[1].type
    if left != right or left.name not in {*_SMALL, URL, FORMAT}:
        return None
    if left.name in _SMALL:
        return Estimate(ONE)
    return Estimate(Range(1, 64 if left.name == FORMAT else (nodes[1].size or ONE).high).scaled(TRAVERSAL))


def _set(overload: str, nodes: Sequence[Node], _: Declared) -> Estimate:
    factor = 2 if "equivalent" in overload else 1
    return Estimate((nodes[0].known * nodes[1].known).scaled(factor) + ONE)


def _to_bytes(_: str, nodes: Sequence[Node], __: Declared) -> Estimate:
    size = nodes[0].known
    return Estimate(size.scaled(TRAVERSAL), Range(size.low, size.high * 4 % 2**64))


def _to_string(_: str, nodes: Sequence[Node], __: Declared) -> Estimate:
    size = nodes[0].known
    return Estimate(size.scaled(TRAVERSAL), Range(size.low // 4, size.high))


def _quote(_: str, nodes: Sequence[Node], __: Declared) -> Estimate:
    size = nodes[0].known
    return Estimate(size.scaled(TRAVERSAL), Range(size.low + 2, (size.high * 2 + 2) % 2**64))


def _affix(_: str, nodes: Sequence[Node], __: Declared) -> Estimate:
    return Estimate(nodes[1].known.scaled(TRAVERSAL))


def _in(_: str, nodes: Sequence[Node], __: Declared) -> Estimate:
    return Estimate(nodes[1].known.scaled(1))


def _contains(_: str, nodes: Sequence[Node], __: Declared) -> Estimate:
    return Estimate(nodes[0].known.scaled(TRAVERSAL) * nodes[1].known.scaled(TRAVERSAL))


_Rule = Callable[[str, Sequence[Node], Declared], Estimate | None]
_BY_NAME: dict[str, _Rule] = {
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _over_list),
    **dict.fromkeys(("url", "lowerAscii", "upperAscii", "substring", "trim"), _same_size),
    **dict.fromkeys(("cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"), _traverse),
    **dict.fromkeys(("find", "findAll"), _find),
    **dict.fromkeys(("containsIP", "containsCIDR"), _contains_address),
    "replace": _replace, "split": _split, "join": _join, "ip": _ip, "ip.isCanonical": _twice, "validate": _validate, "_==_": _equal,
}  # fmt: skip
_BY_OVERLOAD: dict[str, _Rule] = {
    "string_format": _traverse, "string_to_bytes": _to_bytes, "bytes_to_string": _to_string, "strings_quote": _quote,
    "starts_with_string": _affix, "ends_with_string": _affix, "in_list": _in, "matches": _matches, "matches_string": _matches,
    "contains_string": _contains, "list_sets_contains_list": _set, "list_sets_intersects_list": _set,
    "list_sets_equivalent_list": _set,
}  # fmt: skip
