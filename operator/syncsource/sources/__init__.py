"""Where records come from: pages of decoded JSON from an upstream, in the order the upstream serves them.

Here may happen: requests to the declared upstream, their retries, their paging. Here may not happen: dropping or
changing a record, parsing a number as a float, sending a credential to another origin than the declared one, or
writing a secret or a control character into a message. Knows nothing of runs, databases or Kubernetes.

    base       what a source is: pages of records
    opening    a source from spec.source
    permits    rate limits within one process
    rest       JSON over HTTP
"""

from syncsource.sources.base import Page, Slice, Source
from syncsource.sources.opening import open_source
from syncsource.sources.permits import LocalPermits

__all__ = ["LocalPermits", "Page", "Slice", "Source", "open_source"]
