"""The suite of test clips: hard kinds of subject over several backgrounds, with exact alpha and foreground."""
