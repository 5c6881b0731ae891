"""`videomama web`: the local web page."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click
from videomama_client.errors import BadInput

from videomama_server import config, logs

_FILE = click.Path(path_type=Path)


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen at; by default the last one, or a free one."
)
@click.option("--no-browser", is_flag=True, help="Open no browser, and print the file that lets one in.")
@click.option("--connection-file", type=_FILE, help="Connection file of the server to use.")
def web(port: int | None, no_browser: bool, connection_file: Path | None) -> None:
    """Open the local web page, and start it where it does not run."""
    try:
        serving = import_module("videomama_server.web.serve")
    except ModuleNotFoundError as error:
        raise BadInput(
            f"the web page needs {error.name}, which is not installed",
            "Run `python install server`, or install the extra: pip install 'videomama-bridge[web]'.",
        ) from error
    logs.set_up("web")
    settled = config.load({"connection_file": connection_file})
    asked = serving.Asked(settled.connection_file, port, browser=not no_browser)
    serving.serve(asked, lambda line: click.echo(line, err=True))
