"""The classic engine: matting by colour statistics and optical flow, without a network, weights or a GPU."""
