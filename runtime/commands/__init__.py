"""Subcommands of ``takt``, one per file."""
