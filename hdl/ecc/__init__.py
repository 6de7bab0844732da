"""Error correction: encoders and decoders of streams and MEM words, and the register of what was corrected."""
