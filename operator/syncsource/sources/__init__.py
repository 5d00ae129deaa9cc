"""Where records come from: pages of decoded JSON from an upstream, in the order the upstream serves them.

Here may happen: requests to the declared upstream, their retries, their paging. Here may not happen: dropping or
changing a record, parsing a number as a float, sending a credential to another origin than the declared one, or
writing a secret or a control character into a message. Knows nothing of runs, databases or Kubernetes.

    base       what a source is: pages of records
    opening    a source from spec.source
    files      which files of this machine a source may read
    hosts      what sources share about upstream hosts: rate limits, pauses, breakers, tokens
    rest       JSON over HTTP
    firestore  a Firestore collection by its REST API
    csvfiles   files of separated values
    sql        tables and queries of databases
    noting     what a source finds on its way to the first page, for a person who tests a connection
"""

import sys

from syncsource.sources.base import Page, Slice, Source
from syncsource.sources.hosts import Hosts, HostTable, local_hosts
from syncsource.sources.opening import open_source

__all__ = ["HostTable", "Hosts", "Page", "Slice", "Source", "local_hosts", "open_source"]

# httpx imports its command line, and rich with it, where that is to be had: nobody calls it, and without it all takes half the time.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
