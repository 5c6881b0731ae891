"""The verb `weights`: what it asks the environment to do, and the whole of it against a hub on a real socket."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import prepare
import pytest
import weights
from environment import Environment
from failure import InstallError

ROOT = Path(__file__).resolve().parents[2]
UNET = "unet/diffusion_pytorch_model.safetensors"


class Program(Environment):
    """An environment whose `videomama` is the one of the Python that runs the tests."""

    def script(self, name: str) -> Path:
        return Path(sys.executable).with_name(name)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """One that is there, with the config's folders in `tmp_path`."""
    monkeypatch.setenv("VIDEOMAMA_CONFIG", os.devnull)
    monkeypatch.setenv("VIDEOMAMA_WEIGHTS", str(tmp_path / "Gewichte für später"))
    monkeypatch.setenv("VIDEOMAMA_CACHE_DIR", str(tmp_path / "cache"))
    return Program(tmp_path / "env")


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[prepare.Request]:
    """What was asked to be prepared; nothing is, and it was ready before."""
    seen: list[prepare.Request] = []
    monkeypatch.setattr(weights, "prepare", seen.append)
    monkeypatch.setattr(weights, "look", lambda _: prepare.State(None, "", ready=True))
    return seen


@pytest.fixture
def hub(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A hub with other content under the published names."""
    spec = importlib.util.spec_from_file_location(
        "hub_standin", ROOT / "tests" / "server" / "weights" / "hub_standin.py"
    )
    assert spec
    assert spec.loader
    module: ModuleType = importlib.util.module_from_spec(spec)
    sys.modules["hub_standin"] = module
    spec.loader.exec_module(module)
    for name in os.environ:
        if name.startswith("HF_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    repo = "SammyLim/VideoMaMa"
    svd = "stabilityai/stable-video-diffusion-img2vid-xt"
    files = {}
    for path in tiny_checkpoint.rglob("*.*"):
        part = path.parent.name
        files[repo if part == "unet" else svd, f"{part}/{path.name}"] = path
    with module.HubStandin(files, {repo: "a" * 40, svd: "b" * 40}).running() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    weights.add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ((), ["fetch"]),
        (("--verify",), ["fetch", "--verify"]),
        (("--to", "a b", "--accept-license"), ["fetch", "--to", "a b", "--accept-licence"]),
        (("--from", "ü x"), ["import", "ü x"]),
        (("--from", "x", "--to", "y", "--copy"), ["import", "x", "--to", "y", "--copy"]),
    ],
)
def test_options_become_a_command_of_the_environment(
    environment: Environment,
    prepared: list[prepare.Request],
    commands: list[list[str]],
    words: tuple[str, ...],
    command: list[str],
) -> None:
    assert weights.run(options(*words), environment, ROOT) == 3
    assert commands == [[str(environment.script("videomama")), "weights", *command]]
    assert prepared == [prepare.Request(ROOT, environment, ("videomama",), None)]


@pytest.mark.parametrize("words", [("--copy",), ("--from", "x", "--verify")])
def test_options_that_do_not_go_together_are_told(
    environment: Environment, prepared: list[prepare.Request], words: tuple[str, ...]
) -> None:
    with pytest.raises(InstallError):
        weights.run(options(*words), environment, ROOT)
    assert prepared == []


@pytest.mark.parametrize("name", ["vitmatte", "vitmatte-base", "mematte"])
def test_a_network_of_an_edge_refiner_brings_its_packages_and_shows_its_own_licence(
    environment: Environment,
    prepared: list[prepare.Request],
    commands: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    monkeypatch.setattr(weights, "look", lambda _: prepare.State(None, "it does not exist", ready=False))
    with pytest.raises(InstallError, match="not accepted"):
        weights.run(options("--with", name), environment, ROOT)
    assert "Composition-1k" in capsys.readouterr().out
    weights.run(options("--with", name, "--from", "x"), environment, ROOT)
    assert commands == [[str(environment.script("videomama")), "weights", "import", "x", "--with", name]]
    assert prepared == [prepare.Request(ROOT, environment, ("videomama", "edges"), None)]


def test_before_gigabytes_are_installed_the_licence_is_settled(
    environment: Environment,
    prepared: list[prepare.Request],
    commands: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(weights, "look", lambda _: prepare.State(None, "it does not exist", ready=False))
    with pytest.raises(InstallError, match="not accepted; nothing was fetched") as caught:
        weights.run(options(), environment, ROOT)
    assert "--accept-licence" in caught.value.hint
    assert "Stability AI Community License" in capsys.readouterr().out
    assert (prepared, commands) == ([], [])
    weights.run(options("--accept-licence"), environment, ROOT)
    weights.run(options("--from", "x"), environment, ROOT)
    assert len(prepared) == 2


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("yes", 0), ("no", 1), ("", 1), ("\x04", 1)])
def test_in_a_terminal_it_asks(answer: str, code: int) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nimport weights\nfrom failure import InstallError\n"
        f"try:\n    weights._ask(Path({str(ROOT)!r}))\nexcept InstallError:\n    sys.exit(1)\n"
    )
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals", exc_type=ImportError)
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT / "install", stdin=follower, stdout=follower, stderr=follower
    ) as process:
        os.write(leader, answer.encode() + (b"" if answer == "\x04" else b"\n"))
        assert process.wait(60) == code
        shown = os.read(leader, 1 << 16).decode()
    os.close(leader)
    os.close(follower)
    assert "Do you accept it? [y/N]" in shown


def test_the_plan_says_sizes_and_place(environment: Environment, tmp_path: Path) -> None:
    lines = weights.plan_lines(environment)
    assert "6.1 GB" in lines[0]
    assert str(tmp_path / "Gewichte für später") in lines[0]
    assert "2.8 GB" in lines[1]


def test_the_plan_without_an_environment(tmp_path: Path) -> None:
    assert "the config's folder" in weights.plan_lines(Environment(tmp_path / "none"))[0]


def test_the_plan_with_weights(
    environment: Environment, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDEOMAMA_WEIGHTS", str(tiny_checkpoint))
    (line,) = weights.plan_lines(environment)
    assert "nothing to fetch" in line
    assert UNET in line.replace(os.sep, "/")


def test_what_was_never_published_is_refused_by_the_real_pins(
    environment: Environment,
    prepared: list[prepare.Request],
    hub: Any,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert weights.run(options("--accept-licence"), environment, ROOT) == 1
    shown = capfd.readouterr().err
    assert "c8d457d4d5eb90f274bd441df60c8e47 is what was published" in shown
    assert "Traceback" not in shown
    assert not list(tmp_path.rglob("*.safetensors"))
    assert not list(tmp_path.rglob("*.part"))


def test_without_acceptance_the_hub_is_not_asked(
    environment: Environment, prepared: list[prepare.Request], hub: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    assert weights.run(options(), environment, ROOT) == 1
    shown = capfd.readouterr().err
    assert "Stability AI Community License" in shown
    assert "Error: the licence of the weights is not accepted; nothing was fetched" in shown
    assert hub.requests == []


def test_weights_of_a_studio_are_taken_over(
    environment: Environment,
    prepared: list[prepare.Request],
    hub: Any,
    tiny_checkpoint: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert weights.run(options("--from", str(tiny_checkpoint)), environment, ROOT) == 0
    assert (tmp_path / "Gewichte für später" / "VideoMaMa" / UNET).is_file()
    capfd.readouterr()
    assert weights.run(options(), environment, ROOT) == 0
    assert "nothing to do" in capfd.readouterr().out
    assert hub.requests == []


def test_the_licence_is_where_both_look() -> None:
    text = (ROOT / weights.LICENCE).read_text(encoding="utf-8")
    for word in ("research", "non-commercial", "one million US dollars", "not as legal advice", "CC BY-NC 4.0"):
        assert word.lower() in text.lower()
