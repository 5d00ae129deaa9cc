"""The API: what a SyncSource says and what its status tells. Pure: no I/O happens here.

The Pydantic models are the truth. ``crds/syncsource.yaml`` is generated from them (``make crds``), so a field's
description here is what ``kubectl explain`` prints, and a field that nothing reads must not exist.
"""
