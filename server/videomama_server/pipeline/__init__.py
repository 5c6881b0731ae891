"""One job: which frames, windows and region, read, compute, write, and the key of each entry."""
