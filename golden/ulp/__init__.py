"""How far the costly functions are from the truth, in units of the last place of fp32. ``python -m golden.ulp``."""
