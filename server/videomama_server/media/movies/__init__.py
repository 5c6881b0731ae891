"""Movies: any picture of one by its number, and movies made of frames; the only code that imports PyAV."""
