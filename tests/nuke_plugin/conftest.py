"""What the tests of the plug-in share: the stand-in for Nuke, in terminal and in GUI mode."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
if str(HERE) not in sys.path:  # the package nuke_standin lies beside this file
    sys.path.insert(0, str(HERE))


@pytest.fixture
def nuke():
    """A fresh terminal session."""
    import nuke_standin

    before = list(sys.path)
    yield nuke_standin.install()
    nuke_standin.uninstall()
    sys.path[:] = before


@pytest.fixture
def gui_nuke():
    """A fresh GUI session; the test runs its main loop with `nuke_standin.threads.pump()`."""
    import nuke_standin

    before = list(sys.path)
    yield nuke_standin.install(gui=True)
    nuke_standin.uninstall()
    sys.path[:] = before
