"""SyncSource on one machine: embedded control plane, operator and, for the demo, an upstream, as one process tree.

Starts and stops processes and waits for them; what they do is theirs. Talks to the control plane as any client would.
"""
