"""The operator: watches SyncSources and Secrets, starts runs when they are due, and tells in status and Events what came of them.

    core/         decides: what is seen goes in, decisions come out. Pure: no I/O, no clock, no asyncio
    kube/         everything that talks to an API server: login, requests, the watch (kopf), Events
    scheduler     the loop that feeds the core and carries out its decisions
    starting      the life of one run: its Secrets and its plan (preparing), the write of its start, the runner
    acting        the life of one SyncRun
    writing       status writes, retried until they are true
    operating     puts these together: `operate`

Nothing here touches a database or an upstream: runs are handed to a `Runner`. Nothing here edits a spec, an annotation or a finalizer.
"""

from syncsource.controller.operating import operate
from syncsource.controller.runs import Runner

__all__ = ["Runner", "operate"]
