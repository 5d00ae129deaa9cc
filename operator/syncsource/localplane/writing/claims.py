"""What a request claims of the object that it is about: its kind, its name, its uid and version."""

from __future__ import annotations

from typing import Any

from syncsource.localplane import errors
from syncsource.localplane.registry.object_meta import whole_object
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.writing.options import DeleteOptions
from syncsource.localplane.writing.pipeline import Object
from syncsource.localplane.writing.typed import check_applied


def checked_config(resource: Resource, config: Any, name: str) -> Object:
    """An applied configuration that names the object it is sent to and fits the schema; raises the 400 or 500 of another one."""
    config = {} if config is None else config
    given, kind = (config.get(field) or "" for field in ("apiVersion", "kind"))
    if (given, kind) != (resource.api_version, resource.kind):
        raise errors.bad_request(f"invalid object type: {given or '/'}, Kind={kind}")
    if not isinstance(config.setdefault("metadata", {}), dict):
        config["metadata"] = {}
    check_name(config, name)
    if config["metadata"].get("managedFields") is not None:
        raise errors.bad_request("metadata.managedFields must be nil")
    check_applied(config, whole_object(resource.rules.schema))
    return dict(config)


def check_unchanged(resource: Resource, old: Object, options: DeleteOptions) -> None:
    """Raises the 409 of a precondition that the stored object does not meet."""
    metadata = old["metadata"]
    given = (("UID", options.uid, metadata["uid"]), ("ResourceVersion", options.version, metadata["resourceVersion"]))
    happened = {"UID": "been deleted and then recreated", "ResourceVersion": "been modified"}
    for name, wanted, found in given:
        if wanted and wanted != found:
            why = f"the {name} in the precondition ({wanted}) does not match the {name} in record ({found})."
            raise errors.conflict(resource.group, resource.kind, metadata["name"], f"{why} The object might have {happened[name]}")


def check_name(obj: Object, name: str, *, is_given: bool = False) -> None:
    """`is_given`: the object must say its name itself. Raises the 400 of another one."""
    if is_given and not obj["metadata"].get("name"):
        raise errors.bad_request(f"the name of the object ({name} based on URL) was undeterminable: name must be provided")
    given = obj["metadata"].setdefault("name", name)
    if given != name:
        raise errors.bad_request(f"the name of the object ({given}) does not match the name on the URL ({name})")
