"""Runs engines over clips whose alpha is known, and says how good they are in tables, plots and pictures."""
