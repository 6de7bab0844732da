"""Checks a finished image against every rule of the machine, from its queue words alone; and what its READs find."""
