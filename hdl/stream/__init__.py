"""Stream registers."""
