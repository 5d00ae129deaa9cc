"""What the sources of one operator share about their upstreams: rate limits, pauses, circuit breakers and tokens.

One table has it all, in the process that starts the runs; a worker asks and tells it by messages.

    messages   what is asked and told, and the answers
    table      the table: all that is known of hosts and tokens
    breaker    one host that fails
    tokens     tokens in use, and who fetches the next one
    guest      what a source calls
"""

from syncsource.sources.hosts.guest import Hosts, local_hosts
from syncsource.sources.hosts.table import HostTable

__all__ = ["HostTable", "Hosts", "local_hosts"]
