"""The functions that Kubernetes adds to CEL, and how values of a schema reach a rule."""

from __future__ import annotations

from typing import Any

import pytest

from syncsource.localplane.admission import CustomResourceValidator, InvalidDefinition
from syncsource.localplane.admission.cel.quantity import parse_quantity

OBJECT = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "maxLength": 100},
        "number": {"type": "number"},
        "count": {"type": "integer"},
        "wait": {"type": "string", "format": "duration"},
        "at": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "raw": {"type": "string", "format": "byte"},
        "either": {"x-kubernetes-int-or-string": True},
        "a-b": {"type": "string"},
        "namespace": {"type": "string"},
        "names": {"type": "array", "maxItems": 400, "items": {"type": "string", "maxLength": 10}},
        "map": {"type": "object", "maxProperties": 10, "additionalProperties": {"type": "integer"}},
    },
}
VALUE = {
    "text": "https://user@host.example:8080/a%20b?x=1&x=2",
    "number": 1,
    "count": 3,
    "wait": "1d1h",
    "at": "2026-01-01T12:00:00.5+07:00",
    "day": "2026-01-02",
    "raw": "YWI=",
    "either": "5%",
    "a-b": "dash",
    "namespace": "ns",
    "names": ["b", "a"],
    "map": {"x": 1, "y": 2},
}


def _causes(rule: str, value: dict[str, Any] | None = None, **more: Any) -> list[str]:
    schema = {"type": "object", "properties": {"spec": {**OBJECT, "x-kubernetes-validations": [{"rule": rule, **more}]}}}
    crd = {
        "spec": {
            "group": "example.dev",
            "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}],
        }
    }
    obj = {"apiVersion": "example.dev/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": value or VALUE}
    return [str(found) for found in CustomResourceValidator(crd).admit(obj).causes]


TRUE = [
    "isURL(self.text) && url(self.text).getScheme() == 'https'",
    "url(self.text).getHost() == 'host.example:8080' && url(self.text).getHostname() == 'host.example'",
    "url(self.text).getPort() == '8080' && url(self.text).getEscapedPath() == '/a%20b'",
    "url(self.text).getQuery()['x'] == ['1', '2']",
    "!isURL('not a url') && !isURL('') && isURL('/path')",
    "self.text.find('[0-9]+') == '8080' && self.text.find('none!') == ''",
    "self.text.findAll('[0-9]+') == ['8080', '20', '1', '2'] && self.text.findAll('[0-9]+', 1) == ['8080']",
    "self.wait > duration('24h') && self.wait == duration('25h')",
    "self.at == timestamp('2026-01-01T05:00:00.5Z') && self.at.getHours('Asia/Jakarta') == 12",
    "self.day == timestamp('2026-01-02T00:00:00Z') && self.day > self.at",
    "self.raw == b'ab' && size(self.raw) == 2",
    "type(self.either) == string ? self.either.endsWith('%') : self.either < 5",
    "self.a__dash__b == 'dash' && self.__namespace__ == 'ns'",
    "self.number == 1.0 && self.number + 0.5 == 1.5",
    "self.names.map(n, n + '!') == ['b!', 'a!'] && self.names.filter(n, n > 'a').size() == 1",
    "!self.names.isSorted() && [1, 2, 3].isSorted() && [1, 2, 3].sum() == 6",
    "[3, 1, 2].min() == 1 && [1.5, 2.5].max() == 2.5 && [duration('1m'), duration('1s')].sum() == duration('61s')",
    "self.map.all(k, self.map[k] > 0) && 'x' in self.map && !('z' in self.map)",
    "self.?text.orValue('') != '' && self.map[?'z'].orValue(7) == 7",
    "isQuantity('1.5Gi') && !isQuantity('1.5 Gi') && quantity('1Gi').isGreaterThan(quantity('1G'))",
    "quantity('1k') == quantity('1000') && quantity('500m').add(quantity('0.5')).asInteger() == 1 && sign(quantity('2').sub(1)) == 1",
    "quantity('1').compareTo(quantity('2')) == -1 && quantity('1').isLessThan(quantity('2')) && quantity('50k').asApproximateFloat() == 50000.0",
    "isIP('::1') && !isIP('1.2.3') && ip('127.0.0.1').isLoopback() && ip('::1').family() == 6",
    "isCIDR('10.0.0.0/8') && cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsIP(ip('11.0.0.1'))",
    "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')",
    "isSemver('1.2.3-rc.1') && semver('1.2.3-rc.1').isLessThan(semver('1.2.3')) && semver('1.10.0').minor() == 10",
    "'%s is %d'.format(['a', 1]) == 'a is 1' && 'A,b'.lowerAscii().split(',') == ['a', 'b']",
    "'abc'.substring(1) == 'bc' && ' a '.trim() == 'a' && 'aXb'.replace('X', '-') == 'a-b' && self.names.join('-') == 'b-a'",
    "sets.contains(self.names, ['a']) && self.names.all(i, name, i < 2 && name != '') && [1, [2]].flatten() == [1, 2]".replace(
        "[1, [2]]", "[[1], [2]]"
    ),
    "self.names.exists_one(n, n == 'a') && dyn(self.count) == 3.0",
    "!format.dns1123Label().validate(self.names[0]).hasValue() && format.dns1035Label().validate('9)' + self.names[0]).hasValue()",
    "format.uuid().validate(self.text).value() == ['does not match the UUID format'] && !format.byte().validate('YWI=').hasValue()",
]


@pytest.mark.parametrize("rule", TRUE)
def test_a_rule_that_holds(rule: str) -> None:
    assert _causes(rule) == []


@pytest.mark.parametrize("rule", ["nosuchfunction(self.text)", "self.text.getScheme(", "other == 1", "", "isURL(1)"])
def test_a_rule_that_does_not_compile(rule: str) -> None:
    with pytest.raises(InvalidDefinition, match=r"x-kubernetes-validations\[0\].rule: "):
        _causes(rule)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("1 / (self.count - 3) == 0", "divide by zero evaluating rule: 1 / (self.count - 3) == 0"),
        ("self.map['z'] == 1", "no such key: z evaluating rule: self.map['z'] == 1"),
        ("url('no url').getHost() == ''", "URL parse error during conversion from string"),
        ("self.text.find(self.names[0] + '(') == ''", "Illegal regex"),
        ("int(self.text) == 1", "evaluating rule: int(self.text) == 1"),
    ],
)
def test_a_rule_that_fails_while_it_runs(rule: str, text: str) -> None:
    (message,) = _causes(rule)
    assert message.startswith("spec: Invalid value: ")
    assert text in message


def test_the_message_may_be_made_by_the_rule() -> None:
    assert _causes("self.count < 3", message="static", messageExpression="'not ' + self.names[1]") == ["spec: Invalid value: not a"]
    assert _causes("self.count < 3", message="static", messageExpression="self.names[5]") == ["spec: Invalid value: static"]
    assert _causes("self.count < 3") == ["spec: Invalid value: failed rule: self.count < 3"]


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("FieldValueRequired", "spec.count: Required value: no"),
        ("FieldValueForbidden", "spec.count: Forbidden: no"),
        ("FieldValueInvalid", "spec.count: Invalid value: no"),
        ("FieldValueDuplicate", "spec.count: Duplicate value"),
    ],
)
def test_the_reason_and_the_place_may_be_chosen(reason: str, text: str) -> None:
    assert _causes("false", message="no", reason=reason, fieldPath=".count") == [text]


def test_an_optional_old_self_is_there_at_creation() -> None:
    assert _causes("!oldSelf.hasValue() || oldSelf.value().count == self.count", optionalOldSelf=True) == []
    assert _causes("oldSelf.hasValue()", optionalOldSelf=True, message="new") == ["spec: Invalid value: new"]


MANY = {**VALUE, "names": [f"n{number}" for number in range(300)]}


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("self.names.all(a, self.names.exists(b, a == b && b != 'none'))", False),
        ("self.names.all(a, self.names.all(b, a != b || size(a) < 9))", False),
        ("self.names.exists_one(a, self.names.all(b, a.startsWith('n29') && b.contains('n')))", True),
        ("self.names.filter(a, self.names.exists(b, b == a)).map(a, a)[299] == 'n299'", False),
        ("self.names.all(a, self.names.all(b, !(b == 'n299' && a == 'n299')))", True),
    ],
)
def test_a_rule_may_loop_longer_than_cel_cpp_goes(rule: str, broken: bool) -> None:
    assert _causes(rule, MANY) == ([f"spec: Invalid value: failed rule: {rule}"] if broken else [])


def test_evaluation_is_bounded() -> None:
    names = {**VALUE, "names": [f"n{number}" for number in range(400)]}
    rule = "self.names.all(a, self.names.all(b, a != b || a == b))"
    (message,) = _causes(rule, names)
    assert message == (
        "spec: Invalid value: \"object\": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to "
        f"call cost exceeds limit for rule: {rule}"
    )


@pytest.mark.parametrize(
    ("text", "amount"), [("1", 1), ("1k", 1000), ("1Ki", 1024), ("500m", 0.5), ("1e3", 1000), ("-1.5", -1.5), (".5", 0.5), ("1.", 1)]
)
def test_quantities(text: str, amount: float) -> None:
    assert parse_quantity(text) == amount


@pytest.mark.parametrize("text", ["", "a", "1KiB", "1 k", "--1", "1e"])
def test_no_quantities(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match"):
        parse_quantity(text)
