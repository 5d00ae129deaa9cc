"""The Swagger document in protobuf, read by Google's library with gnostic's field numbers."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ACCEPT = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
_MESSAGES = {
    "Any": {"yaml": (2, "string")},
    "NamedAny": {"name": (1, "string"), "value": (2, "Any")},
    "NamedSchema": {"name": (1, "string"), "value": (2, "Schema")},
    "Definitions": {"additional_properties": (1, "NamedSchema*")},
    "Properties": {"additional_properties": (1, "NamedSchema*")},
    "AdditionalPropertiesItem": {"schema": (1, "Schema")},
    "TypeItem": {"value": (1, "string*")},
    "ItemsItem": {"schema": (1, "Schema*")},
    "Info": {"title": (1, "string"), "version": (2, "string")},
    "Document": {"swagger": (1, "string"), "info": (2, "Info"), "definitions": (9, "Definitions")},
    "Schema": {
        "_ref": (1, "string"),
        "description": (4, "string"),
        "required": (19, "string*"),
        "type": (22, "TypeItem"),
        "additional_properties": (21, "AdditionalPropertiesItem"),
        "items": (23, "ItemsItem"),
        "properties": (25, "Properties"),
        "vendor_extension": (31, "NamedAny*"),
    },
}


def _document_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="openapi.proto", package="openapi.v2", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            label = 3 if kind.endswith("*") else 1
            kind = kind.rstrip("*")
            made = message.field.add(name=field, number=number, label=label, type=9 if kind == "string" else 11)
            if kind != "string":
                made.type_name = f".openapi.v2.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("openapi.v2.Document"))


def _below(schema: Any) -> dict[str, Any]:
    return {named.name: named.value for named in schema.properties.additional_properties}


def test_old_clients_get_protobuf(http: Any, widgets: Any) -> None:
    answer = http.get("/openapi/v2", headers={"Accept": ACCEPT})
    assert answer.headers["content-type"] == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    document = _document_class().FromString(answer.content)
    assert (document.swagger, document.info.version) == ("2.0", "v1.36.2")
    definitions = {named.name: named.value for named in document.definitions.additional_properties}
    plain = http.get("/openapi/v2").json()["definitions"]
    assert definitions.keys() == plain.keys()

    name = "dev.example.conformance.v1alpha1.Widget"
    widget = definitions[name]
    (extension,) = widget.vendor_extension
    assert extension.name == "x-kubernetes-group-version-kind"
    assert json.loads(extension.value.yaml) == plain[name]["x-kubernetes-group-version-kind"]
    assert _below(widget)["metadata"]._ref == "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
    spec, wanted = _below(widget)["spec"], plain[name]["properties"]["spec"]
    assert (list(spec.type.value), spec.description, list(spec.required)) == (["object"], wanted["description"], wanted["required"])
    assert _below(spec).keys() == wanted["properties"].keys()
    (part,) = _below(spec)["parts"].items.schema
    assert _below(part).keys() == wanted["properties"]["parts"]["items"]["properties"].keys()
