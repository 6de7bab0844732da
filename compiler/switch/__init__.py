"""Operations of the SXM: vectors whose lanes change places."""
