"""The whole chip, on both simulators, against the golden machine."""
