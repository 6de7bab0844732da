"""Instruction control: queues and the burst engine."""
