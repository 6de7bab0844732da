"""From functions of views to operations on vectors."""
