"""Numbers: integer narrowing and operations, fp32 operations, conversions between them."""
