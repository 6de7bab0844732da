"""Where each instruction is built and what tests it: evidence that is gathered, not written down."""
