"""From an operation whose words are known to a macro-operation, for each unit."""
