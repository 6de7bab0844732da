"""Place and time together: one operation at a time, against the real reservations and the real free words."""
