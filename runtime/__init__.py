"""Load an image into a backend, run it, report."""
