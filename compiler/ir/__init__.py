"""Tensors, and the operations on them: what a program consists of."""
