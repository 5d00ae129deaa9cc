"""Tables and queries of PostgreSQL, MySQL, MariaDB and SQLite.

One connection per read, in one read-only transaction that sees one moment, so that rows changed meanwhile are neither
doubled nor missed. Rows stream through a server-side cursor: memory is that of a page. Every value leaves exactly: instants
as the server's own text, numbers as int or Decimal; what JSON can't say (infinity, the year 0) is Broken, with the reason.
What differs between databases is in one module each, behind :class:`~syncsource.sources.sql.dialect.Dialect`.

What may not happen here: a write, a value interpolated into SQL, a password in a message.

    source       the pages of a read
    selecting    the statement of a read, from spec.source.sql and a slice
    ordering     whether cursors that are texts compare as what they mean
    values       what the drivers give, as JSON-like values
    pacing       how many rows are fetched at once
    failures     what went wrong, in the words of spec.source.sql
    dialect      what differs between databases: postgresql, mysql, sqlite
"""
