"""VideoMaMa's weights on disk: found, checked, folded, and kept ready to load."""
