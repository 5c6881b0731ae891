"""What every route of the page is given: the server, the folders that may be browsed, templates and the cache."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse
from videomama_client import __version__, launch
from videomama_client.client import Client

from videomama_server import running
from videomama_server.files import access
from videomama_server.media import sequences
from videomama_server.running import Settled
from videomama_server.web import any_names, job_words, wording
from videomama_server.web.state import State

HOST = "127.0.0.1"
_SETTLED_S = 2.0  # that the config of the running server is believed


@dataclass
class Site:
    """One running page.

    Attributes:
        connection_file: of the server that it is a client of.
        port: that it listens at.
        state: what it keeps between two runs.
        at_end: called when the page ends.
    """

    connection_file: Path
    port: int
    state: State
    at_end: list[Callable[[], None]] = field(default_factory=list)
    _settled: tuple[float, Settled] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        loader = PackageLoader("videomama_server.web", "templates")
        self._templates = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        own = {"ranges": sequences.format_range, "urlencode": any_names.urlencoded}
        self._templates.filters.update({**wording.FILTERS, **job_words.FILTERS, **own})

    @property
    def hosts(self) -> tuple[str, ...]:
        """What the header Host may say."""
        return f"{HOST}:{self.port}", f"localhost:{self.port}"

    @property
    def origins(self) -> tuple[str, ...]:
        """What the header Origin may say."""
        return tuple(f"http://{host}" for host in self.hosts)

    @property
    def address(self) -> str:
        """Where a browser finds the page."""
        return self.origins[0]

    def settled(self) -> Settled:
        """Return the config that holds: the running server's where one answers, else the one of this process."""
        now = time.monotonic()
        if self._settled is None or now - self._settled[0] > _SETTLED_S:
            self._settled = now, running.settle({"connection_file": self.connection_file})
        return self._settled[1]

    def roots(self) -> tuple[Path, ...]:
        """Return the folders that may be browsed, links resolved.

        These are `roots` of the config; where there are none, the user's home and the folders that were added.
        """
        configured = self.settled().config.roots
        return configured or (Path.home().resolve(), *self.state.added_folders())

    def permit(self, path: Path | str) -> Path:
        """Return a path with links and `..` resolved; it need not exist.

        Raises:
            NotPermitted: it lies outside `roots`, or is relative.
            BadInput: no file can have such a name.
        """
        return access.permit(Path(path), self.roots())

    @contextmanager
    def client(self, start: bool = False) -> Iterator[Client]:
        """Yield a client of the server, for the thread that asks.

        Args:
            start: start a server where none runs.

        Raises:
            ServerUnreachable: none runs, or none could be started.
        """
        with launch.connect(self.connection_file, start=start) as client:
            yield client

    def render(self, request: Request, template: str, context: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        """Return a page, or a part of one, made of a template; every value is escaped."""
        return HTMLResponse(self.text(template, {"path": request.url.path, **context}), status)

    def text(self, template: str, context: Mapping[str, Any]) -> str:
        """Return what a template comes to; every value is escaped, and so are bytes of names that are not UTF-8."""
        made = self._templates.get_template(template).render(version=__version__, **context)
        return made.encode(errors="backslashreplace").decode()
