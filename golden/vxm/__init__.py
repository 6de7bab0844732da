"""What one ALU of the VXM computes."""
