"""The costly fp32 functions of the VXM: number formats, constants and the table of polynomials that evaluates them all.

Everything is computed once, by exact integer arithmetic, from the formulas of :mod:`arch.functions.table`.
"""
