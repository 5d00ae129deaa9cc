"""The functions that rules may call besides CEL's own, as Kubernetes 1.36 declares them: `target::name(arguments) -> result`."""

from __future__ import annotations

import re

URL, IP, CIDR, QUANTITY, SEMVER, FORMAT = (
    "kubernetes.URL", "net.IP", "net.CIDR", "kubernetes.Quantity", "kubernetes.Semver", "kubernetes.NamedFormat",
)  # fmt: skip
FORMATS = (
    "dns1123Label", "dns1123Subdomain", "dns1035Label", "qualifiedName", "dns1123LabelPrefix", "dns1123SubdomainPrefix",
    "dns1035LabelPrefix", "labelValue", "uri", "uuid", "byte", "date", "datetime",
)  # fmt: skip
_STRINGS = """
string::charAt(int) -> string
string::format(list<dyn>) -> string = string_format
string::indexOf(string) -> int
string::indexOf(string, int) -> int
string::lastIndexOf(string) -> int
string::lastIndexOf(string, int) -> int
list<string>::join() -> string
list<string>::join(string) -> string
string::lowerAscii() -> string
string::upperAscii() -> string
strings.quote(string) -> string = strings_quote
string::replace(string, string) -> string
string::replace(string, string, int) -> string
string::split(string) -> list<string>
string::split(string, int) -> list<string>
string::substring(int) -> string
string::substring(int, int) -> string
string::trim() -> string
string::find(string) -> string
string::findAll(string) -> list<string>
string::findAll(string, int) -> list<string>
"""
_ADDRESSES = f"""
isURL(string) -> bool
url(string) -> {URL}
{URL}::getScheme() -> string
{URL}::getHost() -> string
{URL}::getHostname() -> string
{URL}::getPort() -> string
{URL}::getEscapedPath() -> string
{URL}::getQuery() -> map<string, list<string>>
isIP(string) -> bool
ip(string) -> {IP}
ip.isCanonical(string) -> bool
{IP}::family() -> int
{IP}::isUnspecified() -> bool
{IP}::isLoopback() -> bool
{IP}::isLinkLocalMulticast() -> bool
{IP}::isLinkLocalUnicast() -> bool
{IP}::isGlobalUnicast() -> bool
string({IP}) -> string
isCIDR(string) -> bool
cidr(string) -> {CIDR}
{CIDR}::containsIP(string) -> bool
{CIDR}::containsIP({IP}) -> bool
{CIDR}::containsCIDR(string) -> bool
{CIDR}::containsCIDR({CIDR}) -> bool
{CIDR}::ip() -> {IP}
{CIDR}::prefixLength() -> int
{CIDR}::masked() -> {CIDR}
string({CIDR}) -> string
"""
_AMOUNTS = f"""
isQuantity(string) -> bool
quantity(string) -> {QUANTITY}
sign({QUANTITY}) -> int
{QUANTITY}::isGreaterThan({QUANTITY}) -> bool
{QUANTITY}::isLessThan({QUANTITY}) -> bool
{QUANTITY}::compareTo({QUANTITY}) -> int
{QUANTITY}::asApproximateFloat() -> double
{QUANTITY}::asInteger() -> int
{QUANTITY}::isInteger() -> bool
{QUANTITY}::add({QUANTITY}) -> {QUANTITY}
{QUANTITY}::add(int) -> {QUANTITY}
{QUANTITY}::sub({QUANTITY}) -> {QUANTITY}
{QUANTITY}::sub(int) -> {QUANTITY}
isSemver(string) -> bool
isSemver(string, bool) -> bool
semver(string) -> {SEMVER}
semver(string, bool) -> {SEMVER}
{SEMVER}::isGreaterThan({SEMVER}) -> bool
{SEMVER}::isLessThan({SEMVER}) -> bool
{SEMVER}::compareTo({SEMVER}) -> int
{SEMVER}::major() -> int
{SEMVER}::minor() -> int
{SEMVER}::patch() -> int
{FORMAT}::validate(string) -> optional_type<list<string>>
format.named(string) -> optional_type<{FORMAT}>
"""
_LISTS = """
list<dyn>::indexOf(dyn) -> int
list<dyn>::lastIndexOf(dyn) -> int
"""
_TIME = {"timestamp": "google.protobuf.Timestamp", "duration": "google.protobuf.Duration"}
_COMPARABLE = ("int", "uint", "double", "bool", *_TIME.values(), "string", "bytes")
_SUMMABLE = ("int", "uint", "double", _TIME["duration"])
_NUMBERS = ("int", "uint", "double")
_GO = {"int": "int64", "uint": "uint64", **{name: short for short, name in _TIME.items()}}
_ORDERS = {"_<_": "less", "_<=_": "less_equals", "_>_": "greater", "_>=_": "greater_equals"}
EXCLUDED = (*_ORDERS, "string")


def _lines() -> list[str]:
    lines = [line for text in (_STRINGS, _ADDRESSES, _AMOUNTS, _LISTS) for line in text.strip().split("\n")]
    lines += [f"format.{name}() -> {FORMAT}" for name in FORMATS]
    lines += [f"list<{kind}>::isSorted() -> bool" for kind in _COMPARABLE]
    lines += [f"list<{kind}>::{name}() -> {kind}" for name in ("min", "max") for kind in _COMPARABLE]
    lines += [f"list<{kind}>::sum() -> {kind}" for kind in _SUMMABLE]
    lines += [f"string({kind}) -> string = {_GO.get(kind, kind)}_to_string" for kind in _COMPARABLE]
    pairs = [(kind, kind) for kind in _COMPARABLE] + [(one, other) for one in _NUMBERS for other in _NUMBERS if one != other]
    return lines + [
        f"{name}({left}, {right}) -> bool = {_order(word, left, right)}" for name, word in _ORDERS.items() for left, right in pairs
    ]


def _order(word: str, left: str, right: str) -> str:
    names = [_GO.get(left, left)] if left == right else [_GO.get(left, left), _GO.get(right, right)]
    return "_".join([word, *names])


_LINE = re.compile(r"(?:(?P<target>[^(:]+)::)?(?P<name>[^(]+)\((?P<arguments>.*)\) -> (?P<result>[^=]+?)(?: = (?P<id>\S+))?")


def functions_yaml() -> str:
    """The declarations as cel-cpp's configuration has them."""
    by_name: dict[str, list[str]] = {}
    for line in _lines():
        found = _LINE.fullmatch(line)
        if found is None:
            raise ValueError(line)
        arguments = [text for text in re.split(r", (?![^<]*>)", found["arguments"]) if text]
        named = found["id"] or f"{found['name']}({','.join([*filter(None, [found['target']]), *arguments])})"
        target = f"target: {{type: '{found['target']}'}}, " if found["target"] else ""
        types = ", ".join(f"{{type: '{text}'}}" for text in arguments)
        by_name.setdefault(found["name"], []).append(
            f"  - {{id: '{named}', {target}args: [{types}], return: {{type: '{found['result']}'}}}}"
        )
    return "functions:\n" + "".join(
        f"- name: '{name}'\n  overloads:\n" + "\n".join(overloads) + "\n" for name, overloads in by_name.items()
    )
