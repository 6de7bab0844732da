"""The machine in Amaranth, one module per functional unit."""
