"""Jobs from prompts to alphas, through the pipeline, with tiny networks on disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from videomama_client.errors import BadInput
from videomama_client.prompts import BOX, MASK, POINT, TEXT, Prompt
from videomama_server import engines
from videomama_server.engines.base import EngineConfig
from videomama_server.pipeline.order import LICENCE

CLIP = range(1001, 1013)
CLICK = Prompt(POINT, 1004, (20.0, 10.0))


@pytest.fixture(scope="module")
def load(tmp_path_factory, make):
    """Load an engine by name, once."""
    folder = tmp_path_factory.mktemp("weights")
    make.sam2().save_pretrained(folder / "sam2")
    make.sam3().save_pretrained(folder / "sam3")
    make.words(folder / "sam3")
    config = EngineConfig(weights=folder, folded_dir=Path("folded"), device="cpu")
    loaded = {}
    return lambda name: loaded.setdefault(name, engines.load(name, config))


@pytest.fixture
def shot(make_shot):
    return make_shot(CLIP)


def bits(outcome, numbers=CLIP):
    return {frame: outcome.alpha(frame).tobytes() for frame in numbers}


def test_a_click_becomes_masks_and_the_masks_alphas(bench, shot, load):
    made = bench.run(shot, load("sam2"), mask="", prompts=(CLICK,), then=(load("classic"),))
    assert made.done.computed == 12
    assert len(set(bits(made).values())) > 1
    masks = bench.run(shot, load("sam2"), mask="", prompts=(CLICK,))
    assert masks.done.cached == 12  # the first stage of the job before
    alphas = [masks.alpha(frame) for frame in CLIP]
    assert all(0 <= alpha.min() <= alpha.max() <= 1 for alpha in alphas)
    assert any(((alpha > 0.01) & (alpha < 0.99)).any() for alpha in alphas)  # probabilities


def test_a_part_has_the_bits_of_the_whole_and_a_walk_is_resumed(make_bench, shot, load):
    other = Prompt(BOX, 1010, (10.0, 5.0, 30.0, 30.0))
    asked = {"mask": "", "prompts": (CLICK, other)}
    whole = bits(make_bench().run(shot, load("sam2"), **asked))
    bench = make_bench()
    for wanted in (1008, 1002, 1012):
        part = bench.run(shot, load("sam2"), frame_ranges=str(wanted), **asked)
        assert bits(part, [wanted]) == {wanted: whole[wanted]}


def test_key_masks_at_three_frames_come_back_and_are_followed_between(bench, shot, load, pictures, tmp_path):
    prompts = []
    for frame, x in ((1002, 20), (1006, 30), (1011, 40)):
        file = tmp_path / f"key.{frame}.exr"
        pictures.settle(pictures.write(file, pictures.disc(x, 24, height=48, width=64), "A"))
        prompts.append(Prompt(MASK, frame, file=str(file)))
    made = bench.run(shot, load("sam2"), mask="", prompts=tuple(prompts))
    for frame, x in ((1002, 20), (1006, 30), (1011, 40)):
        painted = pictures.disc(x, 24, height=48, width=64) > 0.5
        assert np.mean((made.alpha(frame) > 0.5) != painted) < 0.05
    assert len(set(bits(made).values())) == 12


def test_words_become_masks_with_sam3(bench, shot, load, monkeypatch):
    from videomama_server.engines.segment import words

    monkeypatch.setattr(words, "LEAST_SCORE", 0.0)
    made = bench.run(shot, load("sam3"), mask="", prompts=(Prompt(TEXT, text="dog"),))
    assert made.done.computed == 12


def test_words_are_refused_by_a_network_without_text(bench, shot, load):
    with pytest.raises(BadInput, match="the engine sam2 has no prompt"):
        bench.run(shot, load("sam2"), mask="", prompts=(Prompt(TEXT, text="the dog"),))


def test_sam2matte_follows_the_first_mask_of_the_clip(bench, shot, load):
    made = bench.run(shot, load("sam2matte"))
    assert made.done.computed == 12
    assert len(set(bits(made).values())) == 12


def test_sam2matte_takes_clicks_in_place_of_masks(bench, shot, load):
    made = bench.run(shot, load("sam2matte"), mask="", prompts=(CLICK,))
    assert made.done.computed == 12


@pytest.fixture(scope="module")
def model_server(run_server, make, tiny_checkpoint, tmp_path_factory):
    """A server with a tiny SAM 2 beside a tiny VideoMaMa."""
    weights = shutil.copytree(tiny_checkpoint, tmp_path_factory.mktemp("both") / "weights")
    make.sam2().save_pretrained(weights / "sam2")
    flags = ("--device", "cpu", "--dtype", "fp32", "--weights", str(weights))
    running = run_server(tmp_path_factory.mktemp("model"), flags)
    yield running
    running.end()


@pytest.mark.slow
def test_a_click_becomes_masks_and_these_alphas_of_videomama_through_a_server(model_server, make_clip, videomama):
    clip = make_clip(count=7)
    named = ["--plate", clip.plate, "--out", clip.out, "--connection-file", model_server.connection_file]
    asked = ["--maker", "sam2", "--click", "1003:40,30", "--maker-set", "absent=1007"]
    words = ["matte", *named, *asked, "--engine", "videomama", "--canvas", "128x64", "--window", "4", "--json"]
    said = videomama(*words)
    assert said.code == 0, said.err
    first = json.loads(said.out)
    assert [(stage["engine"], stage["computed"]) for stage in first["stages"]] == [("sam2", 7), ("videomama", 7)]
    assert [stage["licence"] for stage in first["stages"]] == ["Apache-2.0", "Stability AI Community License"]
    header = oiio.ImageInput.open(str(clip.alpha_file(1003))).spec().getattribute(LICENCE)
    assert header == "sam2: Apache-2.0; videomama: Stability AI Community License"
    made = {frame: clip.read_alpha(frame) for frame in clip.numbers}
    assert np.stack(list(made.values())).std() > 0.005

    again = json.loads(videomama(*words).out)
    assert (again["computed"], again["cached"]) == (0, 7)
    assert again["flags"] == first["flags"]  # also of masks that nothing was needed of

    with model_server.client() as client:
        client.clear_cache()
    part = videomama(*words, "--preview", "2")
    assert json.loads(part.out)["computed"] == 2, part.err
    for frame in (1001, 1007):
        np.testing.assert_array_equal(clip.read_alpha(frame), made[frame])
