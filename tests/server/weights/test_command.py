"""`videomama weights fetch|import`: what they print, their JSON and their exit codes, against a hub on a socket."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from videomama_server.weights import catalogue

TERMINAL = Path(__file__).with_name("in_terminal.py")


@pytest.fixture
def said(videomama, monkeypatch, tmp_path, hub, tiny_offer):
    """Run `videomama weights ...` with the hub and what it has in place of the real ones."""
    monkeypatch.setattr(catalogue, "PUBLISHED", tiny_offer)
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)

    def run(*words: object):
        monkeypatch.setenv("VIDEOMAMA_WEIGHTS", str(tmp_path / "weights"))
        monkeypatch.setenv("VIDEOMAMA_CACHE_DIR", str(tmp_path / "cache"))
        return videomama("weights", *words)

    return run


def test_fetch_shows_the_licence_and_what_it_did(said, hub, tmp_path):
    shown = said("fetch", "--accept-licence")
    assert shown.code == 0, shown.err
    assert "Stability AI Community License" in shown.err
    assert "Accepted with --accept-licence." in shown.err
    assert "unet/diffusion_pytorch_model.safetensors: 24 of 24 MB" in shown.err
    lines = shown.out.splitlines()
    assert all(line.startswith("ok  ") for line in lines)
    assert "checksum right" in shown.out
    assert said("check").code == 0
    again = json.loads(said("fetch", "--json").out)
    assert again["weights"] == str(tmp_path / "weights")
    assert again["fetched"] == 0
    assert "nothing to do" in again["lines"][0]


def test_without_acceptance_nothing_is_fetched(said, hub, tmp_path):
    shown = said("fetch")
    assert shown.code == 1
    assert "Stability AI Community License" in shown.err
    assert "Error: the licence of the weights is not accepted; nothing was fetched" in shown.err
    assert "--accept-licence" in shown.err
    assert hub.requests == []
    assert not (tmp_path / "weights").exists()


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1), ("", 1)])
def test_in_a_terminal_it_asks(said, hub, tmp_path, answer, code):
    """A real terminal: a pseudo-terminal of a process of its own."""
    if sys.platform == "win32":
        pytest.skip("no pseudo-terminals here")
    command = [sys.executable, str(TERMINAL), answer, repr(catalogue.PUBLISHED), "weights", "fetch"]
    variables = {
        **os.environ,
        "VIDEOMAMA_WEIGHTS": str(tmp_path / "weights"),
        "VIDEOMAMA_CACHE_DIR": str(tmp_path / "cache"),
        "VIDEOMAMA_CONFIG": os.devnull,
        "TERM": "xterm",
        "COLUMNS": "120",
    }
    run = subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert run.returncode == code, run.stdout + run.stderr
    assert "Do you accept it? [y/N]" in run.stdout
    assert (tmp_path / "weights").exists() == (code == 0)
    assert ("MB/s" in run.stdout) == (code == 0)


def test_to_names_another_folder(said, tmp_path):
    target = tmp_path / "elsewhere ü"
    assert said("fetch", "--accept-license", "--to", target).code == 0
    assert said("check", target).code == 0
    assert not (tmp_path / "weights").exists()


def test_import_says_what_it_did(said, tiny_checkpoint, tmp_path):
    shown = said("import", tiny_checkpoint)
    assert shown.code == 0, shown.err
    assert "is a hard link to" in shown.out
    assert said("check").code == 0
    assert json.loads(said("import", tiny_checkpoint, "--json").out)["fetched"] == 0
    assert "copied from" in said("import", tiny_checkpoint, "--to", tmp_path / "other", "--copy").out


def test_import_of_nothing_fails(said, tmp_path):
    shown = said("import", tmp_path / "none")
    assert shown.code == 1
    assert "Error: there is no folder of weights" in shown.err
    assert said("import").code == 2


def test_a_read_only_file_system_is_told(hub, tiny_offer, tmp_path):
    """Mounted read-only in a name space of its own, which not even root may write."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("mounts may not be made here")
    code = (
        "from videomama_server.weights import catalogue\nfrom videomama_server.weights.catalogue import *\n"
        f"catalogue.PUBLISHED = {tiny_offer!r}\n"
        f"words = 'videomama weights fetch --accept-licence --to'.split() + [{str(tmp_path / 'w')!r}]\n"
        "import sys\nsys.argv = words\n"
        "from videomama_server import cli\ncli.main()\n"
    )
    mount = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 99; shift; exec "$@"'
    command = ["unshare", "-m", "sh", "-c", mount, "-", str(tmp_path), sys.executable, "-c", code]
    variables = {**os.environ, "HF_ENDPOINT": hub.endpoint, "VIDEOMAMA_CONFIG": os.devnull}
    run = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)
    if run.returncode == 99:
        pytest.skip("mounts may not be made here")
    assert run.returncode == 1
    assert f"Error: cannot write {tmp_path / 'w'}: Read-only file system" in run.stderr
    assert "Traceback" not in run.stderr
    assert hub.total() == 0
