"""The history of jobs, which survives the server: one SQLite file for each host, written by a thread of its own."""
