"""`python -m videomama_server.worker CONFIG` is the engine process; only the server starts it."""

from videomama_server.worker.worker import main

main()
