"""The VXM: a mesh of 32-bit ALUs per lane between the two hemispheres."""
