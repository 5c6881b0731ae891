"""Gets the model's weights onto this machine: fetched from where they are published, or taken over from a folder."""
