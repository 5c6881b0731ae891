"""Networks that find objects: SAM 2, SAM 3 and detectors, driven frame by frame. Several engines work with them."""
