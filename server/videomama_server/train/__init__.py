"""Training of the networks that engines run. Only this room and `engines/` import torch."""
