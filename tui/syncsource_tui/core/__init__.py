"""What the screens show and why: pure. No Textual, no network, no clock of its own: time is an argument.

Everything that comes from outside passes :func:`text.clean` here, before anything else sees it.
"""
