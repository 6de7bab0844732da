"""The machine: configuration, geometry, instruction table, timing table, number formats, image file.

Every other package reads these tables; this package imports none of them.
"""
