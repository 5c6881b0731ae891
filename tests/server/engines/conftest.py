import itertools

import pytest
from videomama_server import engines

_counter = itertools.count()

GOOD = """
import numpy as np
from videomama_client.setting_spec import NUMBER, SettingSpec
from videomama_server.engines.base import PlainEngine, WindowShape

class Own(PlainEngine):
    name = "own"
    protocol = 1
    fingerprint = "own-1"
    window = WindowShape(3, 1)

    @classmethod
    def options(cls):
        return (SettingSpec("strength", NUMBER, 0.5, "How much.", 0, 1),)

    def prepare(self, frame, settings):
        return frame.mask

    def refine(self, prepared, settings):
        return np.stack(prepared)
"""


@pytest.fixture
def good():
    """The code of an engine `own`, whose class is called Own."""
    return GOOD


@pytest.fixture
def installed(packages, monkeypatch):
    """Install packages for this process: `installed(code, version="2.0")` brings an engine `own` and returns its name.

    Each has another name, as Python imports a module once.
    """
    packages.folder.mkdir()
    monkeypatch.syspath_prepend(packages.folder)
    monkeypatch.setattr(engines, "_plugged", {})

    def install(code=GOOD, points=None, version="1.0"):
        name = f"studio-{next(_counter)}"
        packages.put(name, code, points or {"own": "Own"}, version)
        return name

    return install
