"""The example that docs/compiler.md follows from tensor to timetable: what the compiler really did with it."""
