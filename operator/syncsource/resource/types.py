"""The scalar types of the API: what Python holds, and the schema that a Kubernetes API server checks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from syncsource.resource.cron import check_cron

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
DURATION_PATTERN = r"^([0-9]{1,9}(ms|s|m|h|d))+$"
LONGEST_DURATION = timedelta(days=3650)

TYPE_PATTERN = r"^(text|integer|float|boolean|date|time|timestamp|json|uuid|bytes|decimal\(([1-9]|[1-9][0-9]),[0-9]{1,2}\))$"


class Part(BaseModel):
    """A part of the resource: frozen, camelCase on the wire, unknown fields refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, defer_build=True
    )


def cel(*rules: Sequence[str]) -> dict[str, Any]:
    """``x-kubernetes-validations`` from (rule, message), (rule, message, fieldPath) or (rule, message, fieldPath, messageExpression)."""
    names = ("rule", "message", "fieldPath", "messageExpression")
    return {"x-kubernetes-validations": [dict(zip(names, rule, strict=False)) for rule in rules]}


def ruled(*rules: Sequence[str]) -> ConfigDict:
    """The model configuration of a :class:`Part` with CEL rules."""
    return ConfigDict(json_schema_extra=cel(*rules))


def parse_duration(value: Any) -> Any:
    """``1h30m`` as a timedelta. Units: ms, s, m, h, d; at most ten years."""
    if not isinstance(value, str):
        return value
    if not re.fullmatch(DURATION_PATTERN, value):
        raise ValueError(f"{value!r} is not a duration: write a number and a unit (ms, s, m, h, d), as in 30s, 5m or 1h30m")
    length = timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in _DURATION.findall(value)))
    if length > LONGEST_DURATION:
        raise ValueError(f"{value!r} is longer than ten years")
    return length


def format_duration(length: timedelta) -> str:
    """The duration as the API writes it: ``1h30m``, ``1s400ms``. Exact to the millisecond."""
    left, text = round(length.total_seconds() * 1000), ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def check_zone(name: str) -> str:
    """An IANA time zone's name, or a ValueError that says so."""
    try:
        if name == "Local":
            raise ZoneInfoNotFoundError
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone, such as UTC or Asia/Jakarta") from error
    return name


def check_path(path: str) -> str:
    """A JMESPath expression that compiles, or a ValueError with its place."""
    try:
        jmespath.compile(path)
    except JMESPathError as error:
        first = str(error).partition("\n")[0].removeprefix("Invalid jmespath expression: ").rstrip(": ") or type(error).__name__
        raise ValueError(f"{path!r} is not a JMESPath expression: {first}") from error
    return path


def check_expression(pattern: str) -> str:
    """A regular expression of RE2's syntax, which can't take exponential time; or a ValueError that says what is wrong."""
    expression(pattern)
    return pattern


def expression(pattern: str) -> Any:
    """The expression compiled: it has re's ``search``. ValueError where it is not RE2's syntax."""
    import re2  # here, since it is a tenth of a second that few manifests need

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else "it does not compile"
        said = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        raise ValueError(f"{pattern!r} is not a regular expression of RE2's syntax: {said}") from error


def check_decimal(text: str) -> str:
    """``decimal(p,s)`` needs s <= p."""
    if text.startswith("decimal("):
        precision, scale = map(int, text[8:-1].split(","))
        if scale > precision:
            raise ValueError(f"{text!r}: the scale must not be larger than the precision")
    return text


def _check_share(value: Any) -> Any:
    if isinstance(value, bool) or (isinstance(value, int) and value < 0):
        raise ValueError("must be a count such as 10, or a share such as 5%")
    return value


def _check_text(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError('must be a text or an integer: write "true" or "false" in quotes')
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "format": "duration", "maxLength": 32, "pattern": DURATION_PATTERN}),
]
Positive = ("self > duration('0s')", "must be longer than 0s")

TimeZone = Annotated[
    str,
    AfterValidator(check_zone),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": 64,
            "pattern": "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$",
            **cel(('self != "Local" && timestamp("2000-01-01T00:00:00Z").getHours(self) >= 0', "not an IANA time zone")),
        }
    ),
]
Cron = Annotated[
    str,
    AfterValidator(check_cron),
    WithJsonSchema({"type": "string", "minLength": 9, "maxLength": 128, "pattern": r"^(\S+\s+){4}\S+$"}),
]
Path = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(check_path)]
FieldName = Annotated[str, Field(min_length=1, max_length=63)]
TypeName = Annotated[str, Field(max_length=32, pattern=TYPE_PATTERN), AfterValidator(check_decimal)]
Share = Annotated[
    int | str,
    AfterValidator(_check_share),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "pattern": "^(100|[0-9]{1,2})%$", "minimum": 0, "maxLength": 8}),
]
Text = Annotated[
    int | str,
    BeforeValidator(_check_text),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "maxLength": 2048}),
]
Expression = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(check_expression)]
SecretName = Annotated[str, Field(min_length=1, max_length=253)]
