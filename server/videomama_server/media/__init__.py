"""Pictures in files: reading and writing, channels, colour, numbered sequences, geometry, the output."""
