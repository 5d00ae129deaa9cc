"""Everything that talks to an API server: login, requests, the watch (kopf), Events. Decides nothing.

Errors of the client are translated here, at the border: see ``failures``.
"""
