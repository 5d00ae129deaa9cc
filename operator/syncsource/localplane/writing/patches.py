"""JSON patch (RFC 6902, by jsonpatch) and merge patch (RFC 7386)."""

from __future__ import annotations

import copy
from typing import Any

import jsonpatch

from syncsource.localplane.errors import APIError, bad_request, unprocessable

MAX_OPERATIONS = 10_000


def json_patch(current: dict[str, Any], operations: Any) -> Any:
    """Raises the 422 of a patch that does not apply, the 400 of one that is none."""
    if not isinstance(operations, list):
        raise bad_request(
            f"error decoding patch: json: cannot unmarshal {_go_name(operations)} into Go value of type []handlers.jsonPatchOp"
        )
    if len(operations) > MAX_OPERATIONS:
        message = f"Request entity too large: The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}"
        raise APIError(413, "RequestEntityTooLarge", message)
    try:
        return jsonpatch.JsonPatch(operations).apply(copy.deepcopy(current))
    except jsonpatch.InvalidJsonPatch as wrong:
        raise bad_request(f"error decoding patch: {wrong}") from wrong
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError) as wrong:
        raise unprocessable() from wrong


def merge_patch(current: Any, patch: Any) -> Any:
    """The merged value; null removes."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(current) if isinstance(current, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def not_an_object(patch: Any) -> str:
    """What is said of a merge patch that is none."""
    if patch is None:
        return "Invalid JSON Patch"
    return f"error decoding patch: json: cannot unmarshal {_go_name(patch)} into Go value of type map[string]interface {{}}"


def _go_name(value: Any) -> str:
    names = ((bool, "bool"), (int, "number"), (float, "number"), (str, "string"), (list, "array"), (dict, "object"))
    return next((name for kind, name in names if isinstance(value, kind)), "null")
