"""Matrix products of all kinds of sizes against their bound, and what keeps the slowest of them from it."""
