"""The errors of the API, as the Status objects of `k8s.io/apimachinery/pkg/api/errors`.

Every error that a client may see is an APIError; anything else is a 500 and is logged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from syncsource.localplane.admission.cause import Cause, format_causes


class APIError(Exception):
    """A refusal with its HTTP code, CamelCase reason and details."""

    def __init__(
        self, code: int, reason: str, message: str, details: Mapping[str, Any] | None = None, *, metadata: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details, self.metadata = code, reason, message, details, metadata or {}

    def status(self) -> dict[str, Any]:
        """The Status object, in the field order of the real server."""
        body: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": dict(self.metadata)}
        body |= {"status": "Failure", "message": self.message}
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = dict(self.details)
        return {**body, "code": self.code}


class PathNotFound(Exception):
    """Nothing is served at this path: the plain-text 404, which clients tell from a missing object."""


def success(details: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": dict(details)}


def _details(group: str, kind: str, name: str) -> dict[str, Any]:
    return {key: value for key, value in (("name", name), ("group", group), ("kind", kind)) if value}


def _qualified(group: str, plural: str) -> str:
    return f"{plural}.{group}" if group else plural


def not_found(group: str, plural: str, name: str) -> APIError:
    return APIError(404, "NotFound", f'{_qualified(group, plural)} "{name}" not found', _details(group, plural, name))


def already_exists(group: str, plural: str, name: str) -> APIError:
    return APIError(409, "AlreadyExists", f'{_qualified(group, plural)} "{name}" already exists', _details(group, plural, name))


def conflict(group: str, plural: str, name: str, why: str) -> APIError:
    message = f'Operation cannot be fulfilled on {_qualified(group, plural)} "{name}": {why}'
    return APIError(409, "Conflict", message, _details(group, plural, name))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def apply_conflict(message: str, causes: Sequence[Mapping[str, str]]) -> APIError:
    return APIError(409, "Conflict", message, {"causes": list(causes)})


def bad_request(message: str) -> APIError:
    return APIError(400, "BadRequest", message)


def forbidden(group: str, plural: str, name: str, why: str, causes: Iterable[Cause] = ()) -> APIError:
    details = _details(group, plural, name)
    listed = _causes(causes)
    named = f'{_qualified(group, plural)} "{name}"' if name else _qualified(group, plural)
    return APIError(403, "Forbidden", f"{named} is forbidden: {why}", {**details, "causes": listed} if listed else details)


def forbidden_path(why: str) -> APIError:
    return APIError(403, "Forbidden", f"forbidden: {why}", {})


def invalid(group: str, kind: str, name: str, causes: Iterable[Cause]) -> APIError:
    listed = list(causes)
    message = f'{_qualified(group, kind)} "{name}" is invalid: {format_causes(listed)}'
    return APIError(422, "Invalid", message, {**_details(group, kind, name), "causes": _causes(listed)})


def unprocessable() -> APIError:
    """A JSON patch that does not apply."""
    return APIError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def method_not_allowed() -> APIError:
    return APIError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def unsupported_media_type(accepted: Iterable[str]) -> APIError:
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return APIError(415, "UnsupportedMediaType", message)


def too_large(limit: int) -> APIError:
    return APIError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def unauthorized() -> APIError:
    return APIError(401, "Unauthorized", "Unauthorized")


def expired(message: str) -> APIError:
    return APIError(410, "Expired", message)


def too_large_version(wanted: int, current: int) -> APIError:
    """A version that is yet to come."""
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    message = f"Timeout: Too large resource version: {wanted}, current: {current}"
    return APIError(504, "Timeout", message, {"causes": causes, "retryAfterSeconds": 1})


def internal(why: str = "see the server's log") -> APIError:
    causes = [{"message": why}]
    return APIError(500, "InternalError", f"Internal error occurred: {why}", {"causes": causes})


def _causes(causes: Iterable[Cause]) -> list[dict[str, str]]:
    return [{"reason": found.reason, "message": found.message, "field": found.field} for found in causes]
