"""Where objects live and how changes of them spread: SQLite below, watchers above.

Nothing here knows of HTTP or validates anything; an object is its JSON text, a key and a version.
"""
