"""Kernels: functions on tensors, written once for every machine."""
