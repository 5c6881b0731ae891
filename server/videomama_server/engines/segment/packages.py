"""Whether the packages of the extra are installed that networks of transformers need; imports none of them."""

from __future__ import annotations

from videomama_server.engines.runtime import packages

EXTRA = "segment"
NEEDED = ("torch", "transformers")


def missing() -> list[str]:
    """Return the packages that are not installed."""
    return packages.missing(NEEDED)


def require(engine: str) -> None:
    """Raise `WeightsError` where packages that `engine` needs are not installed."""
    packages.require(engine, NEEDED, EXTRA)
