"""Time: macro-operations, the table of reservations, and the first-fit scheduler."""
