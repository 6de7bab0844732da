"""Matrix units (MXM): planes of INT8 multiply-accumulators, with weight buffers and accumulator memories."""
