"""What reaches the Pythons that we start, and what does not."""

import subprocess
import sys

import pytest
from videomama_client import surroundings

FOREIGN = [
    *(
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONSTARTUP",
        "PYTHONOPTIMIZE",
        "PYTHONWARNINGS",
        "PYTHONINSPECT",
        "PYTHONUSERBASE",
    ),
    *("PYTHONSAFEPATH", "PYTHONNOUSERSITE", "PYTHONDONTWRITEBYTECODE", "PYTHONBREAKPOINT", "PYTHONEXECUTABLE"),
    *("LD_LIBRARY_PATH", "LD_PRELOAD", "LD_AUDIT", "DYLD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES"),
    *("QT_PLUGIN_PATH", "QT_QPA_PLATFORM_PLUGIN_PATH", "QML2_IMPORT_PATH", "QML_IMPORT_PATH", "OIIO_LIBRARY_PATH"),
]
OURS = [
    *(
        "VIDEOMAMA_CACHE_DIR",
        "HOME",
        "PATH",
        "XDG_CACHE_HOME",
        "CUDA_VISIBLE_DEVICES",
        "OCIO",
        "TMPDIR",
        "LANG",
        "LC_ALL",
    ),
    *("HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE", "PIP_INDEX_URL", "SYSTEMROOT", "OMP_NUM_THREADS", "HF_ENDPOINT"),
]


def test_what_a_host_sets_for_its_own_python_libraries_and_qt_is_left_out():
    assert surroundings.environment(dict.fromkeys(FOREIGN, "host")) == {}


def test_everything_else_passes():
    assert surroundings.environment(dict.fromkeys(OURS, "ours")) == dict.fromkeys(OURS, "ours")


def test_a_studio_can_name_what_is_kept_all_the_same():
    given = {"LD_LIBRARY_PATH": "/driver", "LD_PRELOAD": "x", "QT_PLUGIN_PATH": "y"}
    kept = surroundings.environment({**given, "VIDEOMAMA_KEEP_ENV": "LD_LIBRARY_PATH, LD_PRELOAD"})
    assert {name: kept.get(name) for name in given} == {**given, "QT_PLUGIN_PATH": None}


def test_without_an_argument_it_is_this_process_s_own(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/host")
    monkeypatch.setenv("OCIO", "/show/config.ocio")
    found = surroundings.environment()
    assert "PYTHONPATH" not in found
    assert found["OCIO"] == "/show/config.ocio"


@pytest.mark.parametrize("where", ["variable", "folder"])
def test_a_python_of_ours_imports_nothing_of_the_host_s(tmp_path, monkeypatch, where):
    (tmp_path / "json.py").write_text("raise RuntimeError('poison')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path) if where == "variable" else "")
    command = surroundings.python("-c", "import json, sys; print(sys.flags.isolated)")
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (command[0], said.stdout) == (sys.executable, "1\n")


def test_a_relative_ocio_config_is_named_in_full_and_what_is_no_path_is_left(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "show.ocio").touch()
    assert surroundings.environment({"OCIO": "show.ocio"}) == {"OCIO": str(tmp_path / "show.ocio")}
    for other in ("ocio://default", "/gone/show.ocio", ""):
        assert surroundings.environment({"OCIO": other}) == {"OCIO": other}
