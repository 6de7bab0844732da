"""Words of MEM: which are free from when on, and the copies of tensors in them."""
