"""What sources and destinations both know of databases: their URLs, and what their drivers' errors mean.

Nothing here opens a connection or names a field of the spec: who calls says where a URL is kept and what the way out is.
No message holds a password.

    url          database URLs, as they stand in a Secret
    faults       what an error means for a run
    postgresql   psycopg's errors
    mysql        PyMySQL's errors
    sqlite       sqlite3's errors
"""
