"""The API: what a SyncSource says and what its status tells. Pure: no I/O happens here.

The Pydantic models are the truth. ``crds/syncsource.yaml`` and ``crd.json`` here are generated from them (``make crds``), so a field's
description here is what ``kubectl explain`` prints, and a field that nothing reads must not exist.
"""

import os

# Pydantic looks for plugins in all that is installed, which takes as long as to build the models.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
