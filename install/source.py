"""Where pip takes packages from: the index that it is configured for, or a folder of wheels and nothing else."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from failure import InstallError


@dataclass(frozen=True)
class Source:
    """A place that packages come from.

    Attributes:
        wheels: a folder of wheels, outside of which nothing is looked for; None for the configured index.
        extras: the project's extras that the folder was made for; without a meaning for an index.
    """

    wheels: Optional[Path] = None
    extras: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        """What pip's command line needs."""
        if self.wheels is None:
            return []
        return ["--no-index", "--find-links", str(self.wheels)]

    def adapt(self, variables: dict[str, str]) -> dict[str, str]:
        """The process environment for pip, made of `variables`.

        Offline, pip's own settings of the host go: they name indexes, folders and pins of packages that are not there.
        """
        if self.wheels is None:
            return dict(variables)
        kept = {name: value for name, value in variables.items() if not name.upper().startswith("PIP_")}
        return {**kept, "PIP_CONFIG_FILE": os.devnull}

    def refuse_missing(self, extras: Sequence[str]) -> None:
        """Raise when a folder of wheels was not made for all of `extras`."""
        missing = sorted(set(extras) - set(self.extras))
        if self.wheels is None or not missing:
            return
        hint = "Bundles hold what the server needs, not the tools for its checks: those need a network."
        if missing == ["videomama"]:
            hint = "Make it again with --with-model on a machine with a network, or install without the model."
        raise InstallError(f"The bundle has no packages for {' and '.join(missing)}.", hint)


INDEX = Source()
