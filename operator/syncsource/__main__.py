"""``python -m syncsource``: the command line."""

from syncsource.cli.main import main

main(prog_name="syncsource")
