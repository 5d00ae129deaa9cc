"""Rules as cel-cpp can run them: what it has no value for (named formats) is rewritten, and run by a function of this package."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from syncsource.localplane.admission import formats
from syncsource.localplane.admission.objectmeta import dns_1035_label, dns_label, dns_subdomain, label_value, qualified_name

_VALIDATE = re.compile(r"""format\.(\w+)\(\)\s*\.\s*validate\(|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""")
_STRING_OR_PARENTHESIS = re.compile(r"""[()]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""")
VALIDATE = "kubernetesFormat"


def runnable(expression: str) -> str:
    """The expression with `format.x().validate(y)` as a function that returns the errors, none of which is an absent optional."""
    found = next((match for match in _VALIDATE.finditer(expression) if match[1]), None)
    if found is None:
        return expression
    end = _closing(expression, found.end())
    argument = runnable(expression[found.end() : end])
    made = f"optional.ofNonZeroValue({VALIDATE}('{found[1]}', {argument}))"
    return expression[: found.start()] + made + runnable(expression[end + 1 :])


def _closing(expression: str, start: int) -> int:
    depth = 1
    for match in _STRING_OR_PARENTHESIS.finditer(expression, start):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            return match.start()
    return len(expression)


def _without_dash(check: Callable[[str], Iterator[str]]) -> Callable[[str], Iterator[str]]:
    return lambda text: check(f"{text[:-1]}a" if text.endswith("-") else text)


def _of_format(name: str, message: str) -> Callable[[str], Iterator[str]]:
    return lambda text: iter([] if formats.conforms(text, name) else [message])


_CHECKS: dict[str, Callable[[str], Iterator[str]]] = {
    "dns1123Label": dns_label,
    "dns1123Subdomain": dns_subdomain,
    "dns1035Label": dns_1035_label,
    "dns1123LabelPrefix": _without_dash(dns_label),
    "dns1123SubdomainPrefix": _without_dash(dns_subdomain),
    "dns1035LabelPrefix": _without_dash(dns_1035_label),
    "qualifiedName": qualified_name,
    "labelValue": label_value,
    "uri": _of_format("uri", "invalid URI for request"),
    "uuid": _of_format("uuid", "does not match the UUID format"),
    "byte": _of_format("byte", "invalid base64"),
    "date": _of_format("date", "invalid date"),
    "datetime": _of_format("date-time", "invalid datetime"),
}


def check_named(name: str, text: str) -> list[str]:
    """What is wrong with the text as the named format."""
    return list(_CHECKS[name](text))
