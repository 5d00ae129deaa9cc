"""What a Kubernetes API server decides about one object, as pure functions: defaults, pruning, validation, CEL rules.

Nothing here does I/O, knows of stores or requests, or imports aiohttp; messages are those of kube-apiserver 1.36.
"""

from syncsource.localplane.admission.cause import Cause, format_causes
from syncsource.localplane.admission.schema import Schema
from syncsource.localplane.admission.validator import Admitted, CustomResourceValidator, InvalidDefinition

__all__ = ["Admitted", "Cause", "CustomResourceValidator", "InvalidDefinition", "Schema", "format_causes"]
