"""ONNX models: from a file to a program of the chip, and its runs."""
