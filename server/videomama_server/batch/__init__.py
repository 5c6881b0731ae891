"""Many shots from one file: what they are, whether they are finished, what they need, and what came of them."""
