"""The options `--on` and `--gpus`: what they mean, and what cannot be given together."""

import importlib.util

import pytest
from videomama_server.cli.cluster_options import Place
from videomama_server.cli.usage import WrongUse
from videomama_server.cluster import RayDoer
from videomama_server.many_jobs import OneByOne


@pytest.fixture
def with_ray(monkeypatch):
    """Ray counts as installed, whether it is or not."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)


@pytest.mark.parametrize(
    ("engines", "gpus", "device", "taken"),
    [
        (["classic", "adjust"], None, "auto", 0),
        (["sam2", "classic"], None, "auto", 1),
        (["classic", "vitmatte"], None, "auto", 1),
        (["videomama"], None, "auto", 1),
        (["videomama"], None, "cpu", 0),
        (["videomama"], 0, "auto", 0),
        (["classic"], 1, "cpu", 1),
    ],
)
def test_a_clip_takes_a_gpu_where_an_engine_computes_on_one(
    with_ray, monkeypatch, tmp_path, engines, gpus, device, taken
):
    monkeypatch.setenv("VIDEOMAMA_DEVICE", device)
    assert Place("head:6379", gpus, None, False).doer(engines, tmp_path) == RayDoer("head:6379", taken, tmp_path)


def test_without_a_cluster_the_running_server_does_all(tmp_path):
    place = Place(None, None, tmp_path / "connection.json", True)
    assert isinstance(place.doer(["auto"], tmp_path), OneByOne)


def test_an_engine_that_machines_may_take_differently_is_refused(with_ray, tmp_path):
    with pytest.raises(WrongUse, match="--on needs the name of each engine"):
        Place("ray", None, None, False).doer(["auto"], tmp_path)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((None, 1, None, False), "--gpus is given without --on"),
        (("ray", None, "file", False), "--connection-file cannot be given with --on"),
        (("ray", None, None, True), "--no-start cannot be given with --on"),
    ],
)
def test_options_that_have_no_effect_are_refused(with_ray, words, told):
    with pytest.raises(WrongUse, match=told):
        Place(*words)


@pytest.mark.parametrize("command", ["label", "evaluate"])
def test_without_ray_both_commands_name_what_to_install(videomama, monkeypatch, tmp_path, command):
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "ray" else known(name, *more))
    said = videomama(command, tmp_path, "--out", tmp_path / "out", "--engine", "classic", "--on", "ray")
    assert said.code == 1
    assert "--on needs Ray, which is not installed" in said.err
    assert "pip install 'videomama-bridge[cluster]'" in said.err
    assert not (tmp_path / "out").exists()
