"""What a function of the library is, and the values of the types that CEL itself does not have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Function:
    """One overload: the names of types are CEL's, or those that `opaque` makes values of."""

    name: str
    parameters: tuple[str, ...]
    returns: str
    call: Callable[..., Any]
    member: bool = True

    @property
    def id(self) -> str:
        return f"{self.name}({','.join(self.parameters)})".replace("<", "_").replace(">", "_")


def opaque(kind: str, text: str) -> dict[str, str]:
    return {f"kubernetes.{kind}": text}


def text_of(value: dict[str, str]) -> str:
    return next(iter(value.values()))


def parses(parse: Callable[[str], Any]) -> Callable[[str], bool]:
    """The `isX` that belongs to a parser."""

    def check(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return check
