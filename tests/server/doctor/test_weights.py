"""The weights: missing, whole, cut short, of another model, changed since they were fetched."""

import json
from dataclasses import replace

import pytest
from videomama_server.config import Config
from videomama_server.doctor import weights

UNET = "VideoMaMa/unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def config(own_checkpoint):
    return replace(Config(), weights=own_checkpoint)


def line(config, torch=False, computes=False):
    (only,) = weights.examine(config, torch, computes)
    return only


def unet(config):
    return next(path for path in config.weights.rglob("*.safetensors") if path.parent.name == "unet")


@pytest.mark.parametrize("torch", [False, True])
def test_weights_that_are_right(config, torch):
    found = line(config, torch, True)
    assert found.state == "ok"
    assert "(12 channels)" in found.what
    assert ("right shapes" in found.what) == torch


@pytest.mark.parametrize("computes", [False, True])
def test_no_weights_are_a_warning_for_classic_does_without(tmp_path, computes):
    found = line(replace(Config(), weights=tmp_path / "none"), True, computes)
    assert found.state == "warning"
    assert "python install weights --from DIR" in found.fix


@pytest.mark.parametrize(("device", "computes", "state"), [("auto", True, "problem"), ("cpu", True, "warning")])
def test_weights_cut_short_break_jobs_where_the_model_would_be_chosen(config, device, computes, state):
    content = unet(config).read_bytes()
    unet(config).write_bytes(content[:-1000])
    found = line(replace(config, device=device), False, computes)
    assert found.state == state
    assert "1,000 bytes are missing" in found.what
    assert "python install weights" in found.fix


def test_weights_of_another_shape_are_found_by_the_check(config):
    path = unet(config).parent / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "cross_attention_dim": 8}))
    found = line(config, True, True)
    assert found.state == "problem"
    assert "config.json" in found.what


def manifest(config, path, size):
    row = {"path": path, "source": "r", "commit": "c", "size": size, "md5": "", "sha256": "", "published": True}
    (config.weights / "videomama-weights.json").write_text(
        json.dumps({"version": 1, "revisions": {"r": "c"}, "files": [row]})
    )


def test_weights_that_changed_since_they_were_fetched(config):
    path = unet(config).relative_to(config.weights).as_posix()
    size = unet(config).stat().st_size
    manifest(config, path, size)
    assert line(config).state == "ok"
    manifest(config, path, size + 1)
    assert f"and had {size + 1:,} when it was fetched" in line(config).what
    manifest(config, "gone/file", 1)
    assert "not there any more" in line(config).what


def test_a_manifest_that_makes_no_sense(config):
    (config.weights / "videomama-weights.json").write_text("{")
    assert (line(config).state, "videomama-weights.json" in line(config).what) == ("warning", True)


def test_a_check_that_does_not_end_is_a_warning(config, monkeypatch):
    monkeypatch.setattr(weights, "_CHECK_S", 0.001)
    assert (line(config, True).state, "not checked further" in line(config, True).what) == ("warning", True)


def test_the_check_is_given_three_minutes_and_what_it_finds_is_told(config, monkeypatch):
    asked, answer = [], {"ok": True}

    def ask(words, seconds):
        asked.append((words[-2:], seconds))
        return answer

    monkeypatch.setattr(weights, "ask_python", ask)
    assert line(config, True).state == "ok"
    assert asked == [([str(config.weights), "--json"], 180.0)]
    for hint, fix in (("Do this.", "Do this."), (None, weights._AGAIN)):
        answer.update(ok=False, problem="the shapes are wrong", hint=hint)
        found = line(config, True)
        assert (found.state, found.what, found.fix) == ("warning", "The shapes are wrong", fix)
