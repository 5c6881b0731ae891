"""Generated test clips and rough masks: their alpha and foreground are known exactly."""
