"""The engine process: takes jobs from the server over a pipe and does them, one per device."""
