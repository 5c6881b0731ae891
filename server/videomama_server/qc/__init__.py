"""Judges an alpha from plate, mask and alpha alone: scores per frame, flagged frames with a reason, and pictures."""
