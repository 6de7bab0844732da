"""Views of a waveform for GTKWave and Surfer, which open on the run with instructions as text."""

from runtime.waves.hierarchy import read_hierarchy
from runtime.waves.waveform import check_waveform
from runtime.waves.write import write_views

__all__ = ["check_waveform", "read_hierarchy", "write_views"]
