"""Numbers: integer narrowing and operations, binary32 operations, conversions between them."""
