"""Errors of the costly functions, in units of the last place of fp32. ``python -m golden.ulp``."""
