"""The edge refiner ViTMatte, whose network is that of transformers."""
