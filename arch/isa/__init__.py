"""The one instruction table: opcodes, fields, ranges, rules, mnemonics, and what follows from them."""
