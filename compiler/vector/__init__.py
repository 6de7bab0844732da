"""Passes: vectors of tensors through the VXM, step by step."""
