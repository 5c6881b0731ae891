"""Tells the person in which keys the running server's config is another than what was set here."""

from __future__ import annotations

from collections.abc import Sequence

import click
from videomama_client.server_config import HINT, Difference


def tell_differing(found: Sequence[Difference], *names: str) -> None:
    """Warn on standard error of the differences, or of those among `names` alone where any are given."""
    told = [known for known in found if not names or known.name in names]
    for known in told:
        click.echo(f"Warning: {known}.", err=True)
    if told:
        click.echo(HINT, err=True)
