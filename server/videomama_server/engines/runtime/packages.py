"""Whether the packages of an extra are installed that an engine needs; imports none of them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from videomama_client.errors import WeightsError


def missing(names: Sequence[str]) -> list[str]:
    """Return the packages that are not installed."""
    return [name for name in names if find_spec(name) is None]


def require(engine: str, names: Sequence[str], extra: str) -> None:
    """Raise `WeightsError` for the first package that an engine needs and that is not installed.

    Args:
        engine: that needs them; `--with` brings its weights under this name.
        names: of the packages.
        extra: of this project that has them.
    """
    lacking = missing(names)
    if lacking:
        raise WeightsError(
            f"the engine {engine} needs the package {lacking[0]}, which is not installed",
            f"Run `python install weights --with {engine}`, which installs the extra `{extra}` too.",
        )
