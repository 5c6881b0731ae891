"""The model's weights on this machine: fetched from where they are published, or taken over from a folder."""
