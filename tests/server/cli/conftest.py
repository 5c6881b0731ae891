"""Miniature data sets, and installations that lack something, for the tests of this room."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "datasets"))  # for miniature.py

from miniature import draw, makers  # noqa: F401 - fixtures


@pytest.fixture
def forget(monkeypatch):
    """Have modules imported once more by the test: `forget("videomama_server.web")`, with all below it.

    At its end all is as it was, also what packages hold of their modules, which an import sets as well.
    """

    def out_of_sight(*roots: str) -> None:
        for name in [name for name in sys.modules if name.startswith(roots)]:
            package, _, own_name = name.rpartition(".")
            if hasattr(sys.modules.get(package), own_name):
                monkeypatch.setattr(sys.modules[package], own_name, sys.modules[name])
            monkeypatch.delitem(sys.modules, name)

    return out_of_sight
