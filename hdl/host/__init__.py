"""Host port and run control."""
