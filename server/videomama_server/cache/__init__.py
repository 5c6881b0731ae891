"""Finished alphas on disk by key, what is known of unchanged files, and the folders of inline frames."""
