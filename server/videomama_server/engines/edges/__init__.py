"""What all edge refiners share: the trimap, the tiles, the joint to the alpha before, and the filter over time."""
