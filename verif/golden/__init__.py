"""Tests of the golden model: against Python integers, fractions, onnxruntime, and programs made by hand."""
