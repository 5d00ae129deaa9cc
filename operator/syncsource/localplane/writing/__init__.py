"""How a write becomes what is stored: patch, field ownership, defaults, validation, preconditions, generation.

Knows the registry and the store, not HTTP.
"""
