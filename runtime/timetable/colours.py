"""Colours of instructions, the same in every picture and waveform."""

__all__ = ["NAMES", "NAMES_OTHER", "OTHER", "RGB"]

RGB = {
    "READ": "#3b78b5",
    "WRITE": "#d9822b",
    "LW": "#7b5ea7",
    "ABC": "#2f9e58",
    "ACC": "#b5473c",
    "CVT": "#c2a51d",
    "MUL": "#8a5a3c",
    "ADD": "#3aa6a6",
    "RELU": "#c85b9b",
    "SHIFT": "#5a6b7a",
    "SELECT": "#8c9ba8",
    "TRANSPOSE": "#43506b",
    "PERMUTE": "#6d5f8a",
    "DISTRIBUTE": "#9a86b0",
    "ROTATE": "#4f7a78",
    "LOADMAP": "#b0a58c",
}
OTHER = "#777777"
"""Of any other instruction."""

NAMES = {
    "NOP": "gray20",
    "END": "gray20",
    "READ": "SteelBlue4",
    "WRITE": "DarkOrange3",
    "LW": "MediumPurple4",
    "ABC": "SeaGreen4",
    "ACC": "firebrick4",
    "CVT": "gold4",
    "MUL": "sienna4",
    "ADD": "DarkCyan",
    "RELU": "VioletRed4",
}
"""The nearest of X11's colours that bear white text: those are all that GTKWave knows."""
NAMES_OTHER = "gray35"
