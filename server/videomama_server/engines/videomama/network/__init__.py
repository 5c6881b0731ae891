"""The folded network of VideoMaMa, for inference only."""
