"""Operations of the SXM."""
