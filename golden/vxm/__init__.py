"""Operations of one ALU of the VXM."""
