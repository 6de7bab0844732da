"""Subcommands of ``takt`` that take models."""
