"""The columns and the key: ``spec.fields`` and ``spec.keys``."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from syncsource.resource.types import FieldName, Part, Path, Text, TimeZone, TypeName, ruled

Normalizer = Literal["trim", "collapse", "lower", "upper", "fold", "digits"]
Word = Annotated[str, Field(min_length=1, max_length=64)]
_DIRECTIVES = frozenset("YymdHMSfzbBjIp%")
_EPOCHS = ("epochSeconds", "epochMilliseconds")


def check_format(text: str) -> str:
    """``epochSeconds``, ``epochMilliseconds``, or strptime's directives for dates and times; or a ValueError."""
    wrong = [letter for letter in _used(text) if letter not in _DIRECTIVES]
    if text not in _EPOCHS and (wrong or not _used(text)):
        raise ValueError(
            f"{text!r} is not a format: write epochSeconds, epochMilliseconds, or directives such as %d/%m/%Y %H:%M:%S"
            + (f"; %{wrong[0]} is none of them" if wrong else "")
        )
    return text


def _used(text: str) -> list[str]:
    """The letters of a format's directives; an empty one where it ends within one."""
    return [letter for letter in re.findall(r"%(.?)", text, re.DOTALL) if letter != "%"]


def _lacks(text: str, type_: str) -> str:
    """What a format does not say that a value of the type needs; empty where nothing is missing."""
    if text in _EPOCHS:
        return "time of day alone" if type_ == "time" else ""
    used = set(_used(text))
    if type_ == "time":
        return "" if used & {"H", "I"} else "hour (%H)"
    wanted = {"year (%Y)": "Yy", "month (%m)": "mbBj", "day (%d)": "dj"}
    return next((name for name, letters in wanted.items() if not used & set(letters)), "")


Format = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(check_format)]

_NUMBERS = "self.type in ['integer', 'float'] || self.type.startsWith('decimal')"


class FieldSpec(Part):
    """One column of the table and where its value comes from."""

    model_config = ruled(
        ("!has(self.timeZone) || self.type == 'timestamp'", "timeZone is only for timestamps"),
        (
            "[has(self.path), has(self.value), has(self.partition) && self.partition].filter(x, x).size() <= 1",
            "at most one of path, value and partition may be set",
        ),
        ("!has(self.value) || !has(self.default)", "default is not for a constant value"),
        ("!has(self.formats) || self.type in ['date', 'time', 'timestamp']", "formats is only for date, time and timestamp"),
        (
            f"(!has(self.decimalSeparator) && !has(self.thousandsSeparator)) || {_NUMBERS}",
            "decimalSeparator and thousandsSeparator are only for integer, float and decimal",
        ),
        (
            "(has(self.decimalSeparator) ? self.decimalSeparator : '.') != (has(self.thousandsSeparator) ? self.thousandsSeparator : '')",
            "decimalSeparator (absent: a point) and thousandsSeparator must differ",
        ),
        ("(!has(self.trueWords) && !has(self.falseWords)) || self.type == 'boolean'", "trueWords and falseWords are only for boolean"),
        ("!has(self.encoding) || self.type == 'bytes'", "encoding is only for bytes"),
        ("!has(self.required) || !self.required || !has(self.default)", "a field with a default is never missing: remove required"),
    )
    name: FieldName = Field(description="Column in the table.")
    path: Path | None = Field(None, description="JMESPath in the record. Absent: the field of the column's name.")
    value: Text | None = Field(None, description="A constant that every row gets, in place of a path.")
    partition: bool = Field(False, description="The value of the partition that the record was read from, in place of a path.")
    type: TypeName = Field(
        description="text, integer, float, boolean, date, time, timestamp, json, uuid, bytes or decimal(precision,scale)."
    )
    required: bool = Field(False, description="A record without this value is invalid.")
    default: Text | None = Field(None, description="Stands for a value that is absent or null.")
    normalize: Annotated[list[Normalizer], Field(min_length=1, max_length=6)] | None = Field(
        None,
        description="What is done to a text before its type is looked at, in the order given: trim, collapse (spaces to one), lower, upper, "
        "fold (case and accents), digits (all else is dropped). A text of which nothing is left is null.",
    )
    time_zone: TimeZone | None = Field(None, description="IANA time zone of timestamps that name none. Absent: UTC.")
    formats: Annotated[list[Format], Field(min_length=1, max_length=8)] | None = Field(
        None,
        description="How dates and times are written: epochSeconds, epochMilliseconds, or directives as in %d/%m/%Y %H:%M. "
        "The first that fits counts. Absent: ISO 8601.",
    )
    decimal_separator: Literal[".", ","] | None = Field(None, description="Decimal separator of numbers in texts. Absent: a point.")
    thousands_separator: Literal[".", ",", " ", "'", "_"] | None = Field(
        None, description="Separator between groups of three digits in texts; a space stands for no-break spaces, too."
    )
    true_words: Annotated[list[Word], Field(min_length=1, max_length=16)] | None = Field(
        None, description="Texts that mean true, whatever their case. Absent: true, t, yes, 1."
    )
    false_words: Annotated[list[Word], Field(min_length=1, max_length=16)] | None = Field(
        None, description="Texts that mean false, whatever their case. Absent: false, f, no, 0."
    )
    encoding: Literal["base64", "hex"] | None = Field(None, description="How bytes are written. Absent: base64.")
    sensitive: bool = Field(False, description="The value is masked wherever quarantined records are shown.")

    @model_validator(mode="after")
    def _formats_are_whole(self) -> Self:
        for text in self.formats or ():
            if missing := _lacks(text, self.type):
                raise ValueError(f"formats: {text!r} has no {missing}, which a {self.type} needs")
        return self


class Key(Part):
    """Fields that identify a record."""

    model_config = ruled(
        (
            "!has(self.normalize) || self.normalize.all(n, n in self.fields)",
            "what is normalized must be one of the key's fields",
            ".normalize",
        )
    )

    fields: Annotated[list[FieldName], Field(min_length=1, max_length=16, json_schema_extra={"x-kubernetes-list-type": "set"})] = Field(
        description="Names of spec.fields. A key is complete where none of them is null."
    )
    normalize: Annotated[dict[str, Normalizer], Field(min_length=1, max_length=16)] | None = Field(
        None,
        description="What is done to the text of a field before it is compared, on both sides, for example phone: digits; what is written stays "
        "as it came. The words are those of fields[].normalize. White space around and between words does not count then.",
    )
