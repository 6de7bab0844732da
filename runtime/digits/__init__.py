"""A small network that reads handwritten digits: trained, quantised, compiled, run."""
