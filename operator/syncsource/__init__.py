"""SyncSource keeps rows of outside systems up to date in a SQL database that people also edit.

The rooms, from the top down; imports go downward only (``[tool.importlinter]`` in pyproject.toml):

    cli            commands
    standalone     control plane, operator and demo on one machine
    controller     kopf handlers, scheduler, status, Events
    client         what commands ask of a control plane
    runner         where runs execute: worker processes
    engine         one run, from page to commit
    sources, destinations, ledger     one kind each, independent of each other
    records, schedule                 pure: fields, types, keys / when next
    resource       the API: SyncSource, its status, the CRD
    errors         one tree
    failpoints     where tests end or stop a process
    localplane     the embedded Kubernetes API server; imports nothing of the others
"""

from importlib.metadata import version

__version__ = version("syncsource")
