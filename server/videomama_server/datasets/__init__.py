"""Clips with exact alphas, and in what folders they lie; what measures them and what trains on them shares it."""
