"""`python -m videomama_server` is the `videomama` command."""

from videomama_server.cli import main

main()
