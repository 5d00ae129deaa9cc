"""JSON over HTTP/1.1 (RFC 9112). Synchronous, one connection, kept alive between pages.

Every request goes to the origin of baseURL (scheme, host and port) and to no other, whatever a redirect, a Link header or
a body says. The environment is not asked: proxy variables and .netrc would send credentials where the spec does not
say. The exceptions are SSL_CERT_FILE and SSL_CERT_DIR, which add private certificate authorities.

    source       pages, one after the other
    paging       where the next page is; links reads the Link header
    decoding     JSON, digit for digit, and the list of records in it
    retrying     tries of one request
    client       one request and its answer; answers has what comes back, terms how an upstream is spoken to
    failures     what went wrong, as one of our errors; reasons has their words
    network      deadline and cancellation of every wait on the network
    addresses    which addresses are refused, whatever name leads there
    urls         joining, and which URLs may be followed
    connecting   a client from spec.source.http: terms, credentials, and what keeps them out of messages
    auth         credentials that stay the same; redaction keeps them out of messages
    tokens       those of a token endpoint: granting asks for them, tokenanswers reads what comes
    jwtsigning   signed tokens; hmacsigning signs requests
    certificates TLS with certificates from Secrets
    quotas       what an upstream says of its rate limits
    dates        HTTP dates and Retry-After
"""
