"""Save files that open a waveform with groups, radix and instructions as text."""

from runtime.waves.hierarchy import read_hierarchy
from runtime.waves.save_file import write_save_file
from runtime.waves.waveform import check_waveform

__all__ = ["check_waveform", "read_hierarchy", "write_save_file"]
