"""CEL environments: what a rule is checked in when it is compiled, and what it runs in.

A rule runs on plain maps, whatever its schema. It is checked against the schema before, in an environment whose `self` is
a protobuf message made from the schema: that is the one way to tell cel-cpp which fields there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from cel_expr_python import cel

from syncsource.localplane.admission.cel.declarations import EXCLUDED, functions_yaml
from syncsource.localplane.admission.cel.functions import Function
from syncsource.localplane.admission.cel.library import FUNCTIONS

OPAQUE = frozenset({"URL", "IP", "CIDR", "Quantity", "Semver"})
_SIMPLE = {"string": "STRING", "bool": "BOOL", "int": "INT", "double": "DOUBLE", "dyn": "DYN"}
_EXTENSIONS = {"optional": "latest", "sets": "latest", "lists": "latest", "two-var-comprehensions": "latest"}
_RUNTIME_EXTENSIONS = {**_EXTENSIONS, "strings": "2", "bindings": "latest"}


def checking_environment(kind: str, pool: Any, *, optional: bool) -> Any:
    """Where rules on values of a type are checked; the type is spelled as CEL does, such as `list<schema.Object1>`."""
    if not optional:  # cel-cpp reads its configuration for longer than it takes to check a rule
        made = _type(kind)
        return cel.NewEnv(descriptor_pool=pool, config=_plain_config(), variables={"self": made, "oldSelf": made})
    variables = f"variables:\n- {{name: self, type: '{kind}'}}\n- {{name: oldSelf, type: 'optional_type<{kind}>'}}\n"
    return cel.NewEnv(descriptor_pool=pool, config=cel.NewEnvConfigFromYaml(_checking_config() + variables))


@cache
def _plain_config() -> Any:
    return cel.NewEnvConfigFromYaml(_checking_config())


_TYPES = {
    **{name: getattr(cel.Type, simple) for name, simple in _SIMPLE.items()},
    "bytes": cel.Type.BYTES, "google.protobuf.Duration": cel.Type.DURATION, "google.protobuf.Timestamp": cel.Type.TIMESTAMP,
}  # fmt: skip


def _type(spelled: str) -> Any:
    if spelled.startswith("list<"):
        return cel.Type.List(_type(spelled[5:-1]))
    if spelled.startswith("map<string, "):
        return cel.Type.Map(cel.Type.STRING, _type(spelled[12:-1]))
    return _TYPES[spelled] if spelled in _TYPES else cel.Type(spelled)


@cache
def _checking_config() -> str:
    excluded = "".join(f"  - name: {name}\n" for name in EXCLUDED)
    return f"{_extensions(_EXTENSIONS)}stdlib:\n  exclude_functions:\n{excluded}{functions_yaml()}"


def _extensions(versions: Mapping[str, str]) -> str:
    return "extensions:\n" + "".join(f"- {{name: {name}, version: {version}}}\n" for name, version in versions.items())


@cache
def runtime_environment() -> Any:
    """Where rules run: `self` and `oldSelf` are whatever the schema says, given as plain values."""
    variables = {"self": cel.Type.DYN, "oldSelf": cel.Type.DYN, "isUpdate": cel.Type.BOOL}
    config = cel.NewEnvConfigFromYaml(_extensions(_RUNTIME_EXTENSIONS))
    return cel.NewEnv(config=config, variables=variables, functions=_functions())


def _functions() -> list[Any]:
    by_name: dict[str, dict[str, Any]] = {}
    for function in FUNCTIONS:
        by_name.setdefault(function.name, {}).setdefault(_signature(function), _overload(function))
    return [cel.FunctionDecl(name, list(overloads.values())) for name, overloads in by_name.items()]


def _signature(function: Function) -> str:
    names = ("opaque" if name in OPAQUE else name for name in function.parameters)
    return f"{function.member}({','.join(names)})"


def _overload(function: Function) -> Any:
    return cel.Overload(
        function.id,
        return_type=_cel_type(function.returns),
        parameters=[_cel_type(name) for name in function.parameters],
        is_member=function.member,
        impl=function.call,
    )


def _cel_type(name: str) -> Any:
    if name in _SIMPLE:
        return getattr(cel.Type, _SIMPLE[name])
    if name in OPAQUE:
        return cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    if name.startswith("list<"):
        return cel.Type.List(_cel_type(name[5:-1]))
    key, _, value = name.removeprefix("map<")[:-1].partition(", ")
    return cel.Type.Map(_cel_type(key), _cel_type(value))
