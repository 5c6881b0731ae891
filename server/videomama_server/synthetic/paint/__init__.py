"""Draws what generated clips show: subjects, hair, smoke, ironwork, backgrounds, motion."""
