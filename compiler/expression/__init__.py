"""Elementwise expressions: what a kernel author writes, and the ALU operations that it means."""
