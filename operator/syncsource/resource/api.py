"""Names of the API: group, version, kinds, annotations."""

GROUP = "syncsource.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "SyncSource"
PLURAL = "syncsources"
SINGULAR = "syncsource"
SHORT_NAME = "syncsrc"
CATEGORY = "sync"

RUN_KIND = "SyncRun"
RUN_PLURAL = "syncruns"
RUN_SINGULAR = "syncrun"
RUN_SHORT_NAME = "syncrun"
"""The singular again: `kubectl get syncrun` is what people type."""

REQUESTED_AT = f"{GROUP}/requestedAt"
"""Annotation: any new value asks for one run."""

VERIFY_REQUESTED_AT = f"{GROUP}/verifyRequestedAt"
"""Annotation: any new value asks for one verification."""

FULL_REFRESH_AT = f"{GROUP}/fullRefreshAt"
"""Annotation: with the same value as ``requestedAt``, that run ignores the cursor."""
