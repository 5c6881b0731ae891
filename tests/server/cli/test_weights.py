"""`videomama weights where|check|fold`: what they print, their JSON and their exit codes."""

import importlib.util
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from videomama_server.cli import weights as command
from videomama_server.weights import catalogue

MAKER = Path(__file__).parents[3] / "bench" / "make_checkpoint.py"


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """A tiny checkpoint: not to be changed."""
    spec = importlib.util.spec_from_file_location("make_checkpoint", MAKER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("checkpoint")
    module.make("tiny", folder)
    return folder


@pytest.fixture
def said(videomama, monkeypatch, tmp_path):
    """Run `videomama weights ...` with the config's folders in `tmp_path`."""

    def run(*words: object):
        monkeypatch.setenv("VIDEOMAMA_WEIGHTS", str(tmp_path / "weights"))
        monkeypatch.setenv("VIDEOMAMA_CACHE_DIR", str(tmp_path / "cache"))
        return videomama("weights", *words)

    return run


@pytest.fixture
def configured(checkpoint, tmp_path):
    (tmp_path / "weights").symlink_to(checkpoint, target_is_directory=True)


def test_where_says_what_is_missing_and_where_it_goes(said, tmp_path):
    shown = said("where")
    assert shown.code == 0
    assert f"weights: {tmp_path / 'weights'}" in shown.out
    assert "no folder of weights" in shown.out
    assert str(tmp_path / "weights" / "VideoMaMa" / "unet") in shown.out
    assert "none yet" in shown.out


@pytest.mark.usefixtures("configured")
def test_where_says_what_was_found(said, tmp_path):
    shown = said("where")
    assert shown.code == 0
    assert "UNet  " in shown.out
    assert "unet/diffusion_pytorch_model.safetensors  24.0 MB" in shown.out.replace(os.sep, "/")
    assert "VAE   " in shown.out
    said("fold", "--dtype", "fp16")
    folded = json.loads(said("where", "--json").out)
    (row,) = folded["folded"]
    assert folded["folded_dir"] == str(tmp_path / "cache" / "folded")
    assert row["bytes"] == (tmp_path / "cache" / "folded" / row["file"]).stat().st_size
    assert f"{row['file']}  {row['bytes'] / 1e6:.1f} MB" in said("where").out


def test_where_as_json_without_weights(said):
    report = json.loads(said("where", "--json").out)
    assert report.keys() == {"weights", "unet", "vae", "problem", "folded_dir", "folded"}
    assert report["unet"] is None
    assert "no folder of weights" in report["problem"]


@pytest.mark.parametrize("full", [(), ("--full",)], ids=["headers", "full"])
def test_check_of_good_weights(said, checkpoint, full):
    shown = said("check", checkpoint, *full)
    assert shown.code == 0
    lines = shown.out.splitlines()
    assert all(line.startswith("ok  ") for line in lines)
    assert ("finite" in lines[-1]) == bool(full)
    report = json.loads(said("check", checkpoint, *full, "--json").out)
    assert report == {"ok": True, "passed": [line[4:] for line in lines], "problem": None, "hint": None}


@pytest.mark.usefixtures("configured")
def test_check_takes_the_configs_folder(said, tmp_path):
    shown = said("check")
    assert shown.code == 0
    assert str(tmp_path / "weights") in shown.out


def test_check_of_weights_that_are_not_right(said, checkpoint, tmp_path):
    folder = tmp_path / "half"
    folder.mkdir()
    (folder / "VideoMaMa").symlink_to(checkpoint / "VideoMaMa", target_is_directory=True)
    shown = said("check", folder)
    assert shown.code == 1
    assert "no VAE" in shown.err
    assert str(folder) in shown.err
    failed = said("check", folder, "--json")
    report = json.loads(failed.out)
    assert failed.code == 1
    assert report["ok"] is False
    assert "no VAE" in report["problem"]
    assert "vae" in report["hint"]


def test_check_without_weights(said, tmp_path):
    shown = said("check")
    assert shown.code == 1
    assert str(tmp_path / "weights") in shown.err
    assert "Traceback" not in shown.err


def test_fold_makes_the_file_once(said, checkpoint, tmp_path):
    shown = said("fold", checkpoint, "--dtype", "bf16")
    assert shown.code == 0
    path = Path(shown.out.split("  ")[0])
    assert path.parent == tmp_path / "cache" / "folded"
    assert path.name.endswith("-bf16.safetensors")
    assert f"{path.stat().st_size / 1e6:.1f} MB" in shown.out
    assert "reading" in shown.err
    made = path.stat().st_mtime_ns
    again = json.loads(said("fold", checkpoint, "--dtype", "bf16", "--json").out)
    assert again == {"file": str(path), "bytes": path.stat().st_size}
    assert path.stat().st_mtime_ns == made


@pytest.mark.parametrize("dtype", [(), ("--dtype", "auto")])
def test_fold_takes_the_dtype_of_the_device(said, checkpoint, monkeypatch, dtype):
    monkeypatch.setenv("VIDEOMAMA_DEVICE", "cpu")
    shown = said("fold", checkpoint, *dtype)
    assert shown.code == 0
    assert "-bf16.safetensors" in shown.out


def test_fold_of_wrong_weights_or_dtypes(said, tmp_path):
    assert said("fold", tmp_path / "none").code == 1
    assert said("fold", tmp_path, "--dtype", "int8").code == 2


def test_an_installation_without_torch_is_told_what_to_install(said, checkpoint, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(command, "import_module", missing)
    for words in (("check", checkpoint), ("fold", checkpoint)):
        shown = said(*words)
        assert shown.code == 1
        assert "torch" in shown.err
        assert "python install server" in shown.err
    assert said("where").code == 0


def test_what_was_imported_is_told(said, checkpoint, tmp_path):
    shown = said("import", checkpoint, "--to", tmp_path / "other", "--copy")
    assert shown.code == 0, shown.err
    assert shown.out.startswith("ok  VideoMaMa/unet/config.json written\n")
    again = json.loads(said("import", checkpoint, "--to", tmp_path / "other", "--json").out)
    assert again["weights"] == str(tmp_path / "other")


class Fetching:
    """Stands in for the modules that fetch and import: takes the order, asks for the licence, and reports."""

    def __init__(self):
        self.orders, self.accepted = [], []

    def FetchOrder(self, *words, check):  # noqa: N802 - the name of the class
        assert check is None  # the model's own weights are known by their digests
        self.orders.append(words)
        return words

    def Import(self, *words):  # noqa: N802 - the name of the class
        self.orders.append(words)
        return words

    def fetch(self, order, progress, say):
        self.accepted.append(order[3]())
        return SimpleNamespace(fetched=7, lines=("unet written", "vae there"))

    def adopt(self, order, progress, say):
        return SimpleNamespace(fetched=0, lines=("unet linked",))


@pytest.fixture
def fetching(monkeypatch):
    stand_in = Fetching()
    monkeypatch.setattr(command, "import_module", lambda name: stand_in)
    return stand_in


def test_fetch_asks_for_the_licence_and_without_anybody_there_that_is_a_no(said, fetching, tmp_path):
    shown = said("fetch")
    assert shown.out.splitlines() == ["ok  unet written", "ok  vae there"]
    assert catalogue.LICENCE.read_text(encoding="utf-8").strip() in shown.err
    assert "Accepted" not in shown.err
    report = json.loads(said("fetch", "--accept-licence", "--verify", "--to", tmp_path / "to", "--json").out)
    assert report == {"weights": str(tmp_path / "to"), "fetched": 7, "lines": ["unet written", "vae there"]}
    said("fetch", "--accept-license")
    assert fetching.accepted == [False, True, True]
    assert [(order[0], order[1], order[2], order[4]) for order in fetching.orders] == [
        (catalogue.PUBLISHED, tmp_path / "weights", tmp_path / "cache" / "folded", False),
        (catalogue.PUBLISHED, tmp_path / "to", tmp_path / "cache" / "folded", True),
        (catalogue.PUBLISHED, tmp_path / "weights", tmp_path / "cache" / "folded", False),
    ]


@pytest.mark.parametrize(("input_there", "errors_seen"), [(True, False), (False, True), (True, True)])
def test_only_a_terminal_on_both_sides_is_asked(fetching, said, monkeypatch, input_there, errors_seen):
    asked = []
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: input_there))
    monkeypatch.setattr("sys.stderr.isatty", lambda: errors_seen)
    monkeypatch.setattr(command.click, "confirm", lambda text, **how: asked.append((text, how)) or True)
    said("fetch")
    both = input_there and errors_seen
    assert fetching.accepted == [both]
    assert asked == ([("Do you accept it?", {"default": False, "err": True})] if both else [])


@pytest.mark.parametrize(("words", "copies"), [((), False), (("--copy",), True)])
def test_import_takes_a_relative_folder_and_links_unless_it_is_to_copy(
    said, fetching, tmp_path, monkeypatch, words, copies
):
    monkeypatch.chdir(tmp_path)
    shown = said("import", "there", *words)
    assert shown.out == "ok  unet linked\n"
    assert fetching.orders == [(catalogue.PUBLISHED, tmp_path / "there", tmp_path / "weights", copies)]
