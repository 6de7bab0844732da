"""MEM: SRAM slices."""
