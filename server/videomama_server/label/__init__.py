"""Pseudo-labels: the masks of large data sets refined into alphas, judged, and laid out so that training reads them."""
