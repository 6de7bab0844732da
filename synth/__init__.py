"""Synthesis: generic cells, flip-flops and memory bits of every unit. ``python -m synth``, or ``make synth``."""
