"""The VideoMaMa engine: the published one-step video diffusion network that turns a plate and a mask into alpha."""
