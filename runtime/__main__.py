"""``python -m runtime``: the command line without installation."""

from runtime.cli import main

main()
