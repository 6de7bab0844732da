"""The Python interface of kernel authors: a class for each family of operations; `compiler.program.Program` is all."""
