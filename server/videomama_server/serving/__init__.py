"""The server process: where it listens, one handler per request, the book of jobs, the worker under its eyes."""
