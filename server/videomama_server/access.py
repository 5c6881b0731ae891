"""Which paths may be opened: only those under the configured roots."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from videomama_client.errors import NotPermitted


def permit(path: Path, roots: Iterable[Path]) -> Path:
    """Return `path` with links and `..` resolved; raises `NotPermitted` when that lies under none of `roots`.

    No roots at all stand for everything that the user may open.
    """
    if not path.is_absolute():
        raise NotPermitted(f"{path} is a relative path", "Clients send absolute paths.")
    resolved = path.resolve()
    allowed = tuple(roots)
    if allowed and not any(resolved.is_relative_to(root) for root in allowed):
        raise NotPermitted(f"{path} lies outside the server's roots", "Add its folder to `roots` in config.toml.")
    return resolved
