"""Adjustments of a finished alpha: its edge, its levels, its specks, and its flicker."""
