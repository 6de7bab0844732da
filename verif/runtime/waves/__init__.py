"""Waveforms and what opens them in a viewer."""
