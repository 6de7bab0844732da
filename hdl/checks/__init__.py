"""Detection of broken rules, and the sticky fault."""
