"""Views of a waveform for GTKWave and Surfer, which open on the run with instructions as text."""

from runtime.waves.hierarchy import read_hierarchy
from runtime.waves.write import write_views

__all__ = ["read_hierarchy", "write_views"]
