"""Operations of MEM by index."""
