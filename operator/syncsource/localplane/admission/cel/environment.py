"""CEL environments: what a rule is checked in when it is compiled, and what it runs in.

A rule runs on plain maps, whatever its schema. It is checked against the schema before, in an environment whose `self` is
a protobuf message made from the schema: that is the one way to tell cel-cpp which fields there are.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_bindings, ext_math, ext_optional, ext_strings

from syncsource.localplane.admission.cel.library import FUNCTIONS, Function

OPAQUE = frozenset({"URL", "IP", "CIDR", "Quantity", "Semver"})
_SIMPLE = {"string": "STRING", "bool": "BOOL", "int": "INT", "double": "DOUBLE", "dyn": "DYN"}


def make_environment(variables: dict[str, Any], pool: Any = None, *, checking: bool = False) -> Any:
    """An environment with every function of Kubernetes; `checking` gives the opaque types their names."""
    return cel.NewEnv(descriptor_pool=pool, variables=variables, functions=_declarations(checking), extensions=_extensions())


@cache
def runtime_environment() -> Any:
    """Where rules run: `self` and `oldSelf` are whatever the schema says, given as plain values."""
    return make_environment({"self": cel.Type.DYN, "oldSelf": cel.Type.DYN, "isUpdate": cel.Type.BOOL})


@cache
def _extensions() -> list[Any]:
    return [ext_optional.ExtOptional(), ext_strings.ExtStrings(), ext_math.ExtMath(), ext_bindings.ExtBindings()]


@cache
def _declarations(checking: bool) -> list[Any]:
    by_name: dict[str, dict[str, Any]] = {}
    for function in FUNCTIONS:
        overload = _overload(function, checking)
        by_name.setdefault(function.name, {}).setdefault(_signature(function, checking), overload)
    return [cel.FunctionDecl(name, list(overloads.values())) for name, overloads in by_name.items()]


def _signature(function: Function, checking: bool) -> str:
    names = (name if checking or name not in OPAQUE else "opaque" for name in function.parameters)
    return f"{function.member}({','.join(names)})"


def _overload(function: Function, checking: bool) -> Any:
    return cel.Overload(
        function.id,
        return_type=_cel_type(function.returns, checking),
        parameters=[_cel_type(name, checking) for name in function.parameters],
        is_member=function.member,
        impl=function.call,
    )


def _cel_type(name: str, checking: bool) -> Any:
    if name in _SIMPLE:
        return getattr(cel.Type, _SIMPLE[name])
    if name in OPAQUE:
        return cel.Type.AbstractType(f"kubernetes.{name}") if checking else cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    if name.startswith("list<"):
        return cel.Type.List(_cel_type(name[5:-1], checking))
    key, _, value = name.removeprefix("map<")[:-1].partition(", ")
    return cel.Type.Map(_cel_type(key, checking), _cel_type(value, checking))
