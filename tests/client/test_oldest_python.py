"""Nuke 13 to 15 bring Python 3.9 and 3.10: the client must run there."""

import compileall
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import videomama_client

PACKAGE = Path(videomama_client.__file__).parent
LIGHT = "from videomama_client import errors, settings, messages; settings.MatteSettings().check()"
ROUND_TRIP = """
from videomama_client import messages, wire
from videomama_client.settings import MatteSettings
message = messages.SubmitMatte("r", "p\\udce9", "m", "", MatteSettings(window=8), inline_frame_numbers=[1, 2])
assert wire.decode(wire.encode(message), messages.KINDS) == message
try:
    wire.decode(b"garbage", messages.KINDS)
except wire.ProtocolError:
    print("ok")
"""


@pytest.fixture(scope="module")
def python39(find_python) -> str:
    return find_python("3.9")


@pytest.fixture
def copied(tmp_path):
    """The client package alone, beside msgpack, whose pure Python half any version can import."""
    shutil.copytree(PACKAGE, tmp_path / "videomama_client", ignore=shutil.ignore_patterns("__pycache__"))
    msgpack = importlib.util.find_spec("msgpack").submodule_search_locations[0]
    shutil.copytree(msgpack, tmp_path / "msgpack", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(python: str, folder: Path, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run([python, "-E", *words], cwd=folder, capture_output=True, text=True, timeout=60)


def test_every_module_compiles_there(python39, copied):
    said = run(python39, copied, "-m", "compileall", "-q", "videomama_client")
    assert said.returncode == 0, said.stdout + said.stderr


def test_messages_and_errors_need_the_standard_library_alone(python39, copied):
    shutil.rmtree(copied / "msgpack")
    said = run(python39, copied, "-c", LIGHT)
    assert said.returncode == 0, said.stderr


def test_messages_make_the_round_trip_there(python39, copied):
    said = run(python39, copied, "-c", ROUND_TRIP)
    if "SyntaxError" in said.stderr:
        pytest.skip("this msgpack is too new for Python 3.9")
    assert said.stdout == "ok\n", said.stderr


def test_every_module_compiles_here():
    assert compileall.compile_dir(PACKAGE, quiet=1, force=False)
    assert sys.version_info >= (3, 11)
