"""The edge refiner MEMatte: its network, written here after its published description, and its checkpoint."""
