"""Stand-ins for programs that the doctor asks: nvidia-smi, and a torch that says what a test wants."""

import json
import os
import sys

import pytest

FAKE_TORCH = """
import json, os
SAID = json.loads(os.environ["FAKE_TORCH"])
if "import_error" in SAID:
    raise ImportError(SAID["import_error"])
if SAID.get("dies"):
    os._exit(139)
__version__ = SAID["version"]

class version:
    cuda = SAID.get("cuda")
    hip = SAID.get("hip")

class _Properties:
    def __init__(self, name, total):
        self.name, self.total_memory = name, total

class cuda:
    @staticmethod
    def init():
        if "init_error" in SAID:
            raise RuntimeError(SAID["init_error"])
    @staticmethod
    def device_count():
        return len(SAID.get("cards", []))
    @staticmethod
    def get_device_properties(index):
        card = SAID["cards"][index]
        return _Properties(card["name"], card["total"])
    @staticmethod
    def mem_get_info(index):
        return SAID["cards"][index]["free"], SAID["cards"][index]["total"]

class backends:
    class mps:
        @staticmethod
        def is_available():
            return "apple" in SAID

class mps:
    @staticmethod
    def recommended_max_memory():
        return SAID["apple"]["total"]

class _Tensor:
    def __init__(self, card):
        self.card = card
    def sum(self):
        if "error" in self.card:
            raise RuntimeError(self.card["error"])
        return self
    def item(self):
        return 8.0

def ones(count, device):
    return _Tensor(SAID["apple"] if device == "mps" else SAID["cards"][int(device.split(":")[1])])
"""


@pytest.fixture
def fake_torch(tmp_path, monkeypatch, lend):
    """Make torch another one for processes that are started: `fake_torch(version="2.9", cuda="12.8", cards=[...])`."""
    folder = tmp_path / "fake_torch"
    (folder / "torch").mkdir(parents=True)
    (folder / "torch" / "__init__.py").write_text(FAKE_TORCH)

    def say(**said):
        lend(folder)
        monkeypatch.setenv("FAKE_TORCH", json.dumps(said))

    return say


@pytest.fixture
def fake_smi(tmp_path, monkeypatch):
    """Put an nvidia-smi on the PATH: `fake_smi("NVIDIA L4, 550.54, 20000, 23034")`; None takes it away."""
    if sys.platform == "win32":
        pytest.skip("stands in with a shell script")
    folder = tmp_path / "smi"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")

    def say(out: str | None, code: int = 0, hangs: bool = False):
        program = folder / "nvidia-smi"
        program.unlink(missing_ok=True)
        if out is not None:
            answer = "exec sleep 30" if hangs else f"cat <<'END'\n{out}\nEND\nexit {code}"
            program.write_text(f"#!/bin/sh\n{answer}\n")
            program.chmod(0o755)

    return say
