"""What to do and when: what is seen goes in, decisions come out. Pure: no I/O, no clock, no asyncio.

    observed      an object as the API server sent it
    requests      what its annotations ask for
    intent        the part of its spec that the scheduler needs
    source        all that is known of one SyncSource: its status, and its run if there is one
    due           whether and why it should run next
    status        the one function that makes a new status of an old one and what happened
    happening     what can happen, and what is decided
    steps         one SyncSource: something happened, what now
    fleet         all of them: slots, the heap, Secrets

What must survive a restart is in status and nowhere else, so a restart is nothing but seeing every object for the first time.
"""
