"""The doctor: looks at all that a refine on this machine needs, and says what is wrong and what to do about it."""
