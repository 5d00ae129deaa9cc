"""What to do and when: what is seen goes in, decisions come out. Pure: no I/O, no clock, no asyncio.

    observed      an object as the API server sent it; requests: what its annotations ask for; intent: when its spec wants runs
    source        all that is known of one SyncSource: its status, and its run if there is one; packed: how it is kept
    happening     what can happen, and what can be decided
    fleet         all SyncSources: slots, who is next (agenda), whose Secret changed (secret_use)
    steps         one SyncSource: something happened, what now
    verification  the same of one that is verified; verifying: whether that or a run is next; verified: what it does to status
    takeover      another operator ended or replaced a run of ours
    asking        SyncRuns: whose turn it is; underway: those whose turn has come; judging: who is refused; asked: one of them;
                  askedlist: all; askedstatus: what their status tells
    due           whether and why it runs next
    status        the one function that makes a new status of an old one and a change; its parts are ending (of a run), scheduling,
                  and deriving (conditions and times, whatever happened)
    announcing    which Events tell of it; messages: the texts

What must survive a restart is in status and nowhere else, so a restart is nothing but seeing every object for the first time.
"""
