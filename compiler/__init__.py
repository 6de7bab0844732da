"""Tensor programs to images: placement, scheduling, assembly, and a verifier that trusts none of them."""
