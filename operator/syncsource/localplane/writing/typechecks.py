"""What is wrong with values of single types, wherever they stand (`pkg/apis/*/validation`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.admission.objectmeta import annotation_causes, label_causes
from syncsource.localplane.writing.labelchecks import check_labels, check_requirement
from syncsource.localplane.writing.networkchecks import NETWORK_CHECKS
from syncsource.localplane.writing.podchecks import POD_CHECKS
from syncsource.localplane.writing.policychecks import POLICY_CHECKS

TypeCheck = Callable[[Mapping[str, Any], str], Iterator[Cause]]


def _template(template: Mapping[str, Any], path: str) -> Iterator[Cause]:
    metadata = template.get("metadata") or {}
    yield from label_causes(metadata.get("labels") or {}, f"{path}.metadata.labels")
    yield from annotation_causes(metadata.get("annotations") or {}, f"{path}.metadata.annotations")


CHECKS: dict[str, TypeCheck] = {
    "core.v1.PodTemplateSpec": _template,
    "meta.v1.LabelSelector": check_labels,
    "meta.v1.LabelSelectorRequirement": check_requirement,
    **POD_CHECKS,
    **NETWORK_CHECKS,
    **POLICY_CHECKS,
}
