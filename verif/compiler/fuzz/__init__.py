"""A fuzzer of programs: random graphs as data, their meaning in NumPy, a runner and a shrinker."""
