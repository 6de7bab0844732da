"""Operations of the Python interface, turned into macro-operations."""
