"""Templates in requests: ``{{ cursor | date }}``. Names and filters are a closed set, checked when a manifest is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from syncsource.resource.moments import FORMATS, check_pattern
from syncsource.resource.types import Text, cel

NAMES = ("partition", "cursor", "windowStart", "windowEnd", "now")
LAST = "last."
"""Begins a name that stands for a field of the last record read, with pagination.keyset: ``last.updated_at``."""

_FIELD = r"last\.[A-Za-z_][A-Za-z0-9_.]*"
_FILTER = r"(iso8601|epochSeconds|epochMilliseconds|integer|date(\('[^']*'\))?|default\('[^']*'\))"
_INSIDE = rf"\s*({'|'.join(NAMES)}|{_FIELD})\s*(\|\s*{_FILTER}\s*)*"
_PLACEHOLDER = re.compile(r"\{\{(.{0,200}?)\}\}", re.DOTALL)
_STEP = re.compile(r"\s*([A-Za-z0-9]+)(?:\('([^']*)'\))?\s*")
_PIPE = re.compile(r"\|(?=(?:[^']*'[^']*')*[^']*$)")
_KNOWN = f"it may be {', '.join(NAMES)} or last.FIELD"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """What stands between the braces."""

    name: str
    format: str | None = None
    """How an instant is written: one of moments.FORMATS or a pattern of strftime. None: as spec.incremental says."""
    default: str | None = None
    """Stands for a value that is absent. None: what holds the template is left out."""
    integer: bool = False
    """Where it is all of a JSON text, a number takes the text's place."""


@dataclass(frozen=True, slots=True)
class Template:
    """Texts and placeholders in their order."""

    parts: tuple[str | Placeholder, ...]

    @property
    def placeholders(self) -> list[Placeholder]:
        return [part for part in self.parts if isinstance(part, Placeholder)]


def parse(text: str) -> Template:
    """The template. Raises ValueError with the name at fault and those that there are."""
    parts, place = list[str | Placeholder](), 0
    for found in _PLACEHOLDER.finditer(text):
        parts += [text[place : found.start()], _placeholder(found[1])]
        place = found.end()
    if "{{" in text[place:]:
        raise ValueError(f"{text!r}: a {{{{ is not closed by }}}}")
    return Template(tuple(part for part in (*parts, text[place:]) if part != ""))


def templates_in(value: Any) -> list[Template]:
    """The templates of all texts in a JSON value, names of members excepted."""
    if isinstance(value, str):
        return [parse(value)]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [template for part in parts for template in templates_in(part)]


def check_template(value: Any) -> Any:
    """The value, or a ValueError if a text in it is no template."""
    templates_in(value)
    return value


def _placeholder(inside: str) -> Placeholder:
    name, *steps = (part.strip() for part in _PIPE.split(inside))
    if name not in NAMES and not re.fullmatch(_FIELD, name):
        raise ValueError(f"{{{{{inside}}}}}: {name!r} is not a name of a template; {_KNOWN}")
    found: dict[str, Any] = {}
    for step in steps:
        found |= _step(inside, step)
    return Placeholder(name, **found)


def _step(inside: str, step: str) -> dict[str, Any]:
    match = _STEP.fullmatch(step)
    word, argument = match.groups() if match else (step, None)
    if word == "default" and argument is not None:
        return {"default": argument}
    if word == "date" and argument is not None:
        return {"format": check_pattern(argument)}
    if argument is None and word == "integer":
        return {"integer": True}
    if argument is None and word in FORMATS:
        return {"format": word, "integer": word.startswith("epoch")}
    raise ValueError(
        f"{{{{{inside}}}}}: {step!r} is not a filter of a template; it may be {', '.join(FORMATS)}, date('%Y-%m-%d'), integer or default('…')"
    )


_RULE = f'matches(r"^([^{{]|\\{{[^{{]|\\{{\\{{{_INSIDE}\\}}\\}})*\\{{?$")'
_MESSAGE = (
    f"{{{{ }}}} takes {', '.join(NAMES)} or last.FIELD, and after | one of {', '.join(FORMATS)}, date('%Y-%m-%d'), integer, default('…')"
)

TemplateText = Annotated[str, AfterValidator(check_template), Field(json_schema_extra=cel((f"self.{_RULE}", _MESSAGE)))]
TemplateValue = Annotated[
    Text,
    AfterValidator(check_template),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "maxLength": 2048, **cel((f"type(self) == int || self.{_RULE}", _MESSAGE))}),
]
TemplateBody = Annotated[dict[str, Any], BeforeValidator(check_template)]
