"""Whether an answer can be given in a form that the client takes (`k8s.io/apiserver/pkg/endpoints/handlers/negotiation`)."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from syncsource.localplane.errors import APIError, bad_request

_ACCEPTED = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_WATCHES = ("application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch")
_FORMS = frozenset({("Table", "v1"), ("Table", "v1beta1"), ("PartialObjectMetadata", "v1"), ("PartialObjectMetadataList", "v1")})
_INCLUDED = frozenset({"", "Metadata", "Object", "None"})


def check_acceptable(request: web.Request, *, watch: bool) -> None:
    """Raises the 406 of a client that takes nothing that is served, the 400 of a Table with what there is not."""
    clauses = [clause for clause in request.headers.get("Accept", "").split(",") if clause.strip()]
    if clauses and not any(_is_served(clause, watch=watch) for clause in clauses):
        listed = ", ".join(_WATCHES if watch else _ACCEPTED)
        raise APIError(406, "NotAcceptable", f"only the following media types are accepted: {listed}")
    include = request.query.get("includeObject", "")
    if "as=Table" in chosen(request) and include not in _INCLUDED:
        wrong = f"includeObject: Invalid value: \"{include}\": must be 'Metadata', 'Object', 'None', or empty"
        raise bad_request(f"Unable to convert to Table as requested: {wrong}")


def chosen(request: web.Request) -> str:
    """The first form of those that the client takes which is served."""
    clauses = request.headers.get("Accept", "").split(",")
    return next((clause.replace(" ", "") for clause in clauses if _is_served(clause, watch=False)), "")


def _is_served(clause: str, *, watch: bool) -> bool:
    kind, *given = (part.strip() for part in clause.lower().split(";"))
    if kind in {"*/*", "application/*"}:
        return True
    if kind != "application/json" and (watch or kind != "application/yaml"):
        return False
    return _is_form({name: value for name, _, value in (part.partition("=") for part in given)})


def _is_form(parameters: Mapping[str, str]) -> bool:
    wanted = (parameters.get("as", ""), parameters.get("v", ""))
    if not wanted[0]:
        return True
    return parameters.get("g") == "meta.k8s.io" and any(wanted == (name.lower(), version) for name, version in _FORMS)
