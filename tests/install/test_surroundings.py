"""What the installer starts processes with."""

import shutil
import sys
from pathlib import Path

import pytest
import surroundings
from interpreter import probe
from videomama_client import surroundings as of_client

ROOT = Path(__file__).resolve().parents[2]
NAMES = (
    *("PYTHONPATH", "PYTHONHOME", "PYTHON_ANYTHING", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH"),
    *("QT_PLUGIN_PATH", "QML2_IMPORT_PATH", "OIIO_LIBRARY_PATH", "HOME", "PATH", "PIP_INDEX_URL", "OCIO", "LANG"),
)


@pytest.mark.parametrize("kept", ["", "LD_LIBRARY_PATH", "LD_PRELOAD, QT_PLUGIN_PATH", "HOME"])
def test_the_installer_and_the_client_leave_out_the_same(kept):
    given = {**dict.fromkeys(NAMES, "value"), "VIDEOMAMA_KEEP_ENV": kept}
    assert surroundings.environment(given) == of_client.environment(given)
    assert (surroundings.ISOLATED, surroundings.KEEP) == (of_client.ISOLATED, of_client.KEEP)


def test_a_python_says_what_it_is_in_poisoned_surroundings(poisoned):
    assert probe(sys.executable).modules == probe(shutil.which(sys.executable)).modules != ()
