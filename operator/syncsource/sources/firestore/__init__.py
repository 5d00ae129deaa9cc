"""A Firestore collection by its REST API, version 1: https://cloud.google.com/firestore/docs/reference/rest/v1/projects.databases.documents/runQuery

A read is one query, in pages: ordered by the cursor's field (where it begins at a cursor), by the fields of inequalities and by ``__name__``;
each page begins after the last document of the one before (startAt), and all pages show the database as it was at the first one's readTime.
Documents that are not needed are not asked for: each costs.

    source     a slice as pages of records
    reading    pages of a query, one after the other: position, size, and the state of the database that they show
    query      the structured query: filters, order, mask, positions
    mask       which fields spec.fields reads
    values     a document as a record, digit for digit
    bookmarks  what the source remembers between reads
    answers    the array that a query answers with
    client     one request and its answer; signing has the credentials, failures what went wrong
"""
