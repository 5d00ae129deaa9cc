"""Speed and memory, side by side with the floor and a peer, in one run: ``make bench``.

Each contender is a process of its own that reads the same orders from a local HTTP server into the same kind of
empty table: the floor (httpx, the fastest JSON parser, COPY or executemany, INSERT ON CONFLICT and nothing else),
``syncsource run``, and dlt's REST source with merge and upsert, as it comes and with its best settings. Read ratios, not seconds: machines differ.
"""
