import json

import numpy as np
import pytest
from videomama_server.media import frames


@pytest.fixture
def held(server, videomama, make_clip):
    """Run `masks` with the engine held over three frames: `held("--key-mask", FILE)`; `held.clip` are the files."""

    def run(*words, maker=("--maker", "held")):
        named = ["--plate", held_clip.plate, "--out", str(held_clip.folder / "out" / "alpha.####.exr")]
        return videomama("masks", *named, *maker, *words, "--connection-file", str(server.connection_file))

    held_clip = run.clip = make_clip(count=3)
    return run


def test_one_painted_frame_is_held_over_the_clip(held):
    said = held("--key-mask", str(held.clip.file("mask", 1002)))
    assert said.code == 0, said.err
    assert "3 masks (3 computed, 0 cached)" in said.out
    for frame in held.clip.numbers:
        np.testing.assert_array_equal(held.clip.read_alpha(frame), held.clip.read_mask(1002))
    again = json.loads(held("--key-mask", str(held.clip.file("mask", 1002)), "--json").out)
    assert (again["computed"], again["cached"], again["engine"]) == (0, 3, "held")


def test_painted_frames_travel_where_the_server_does_not_see_them(held):
    pattern = held.clip.mask
    said = held("--object", "dog", "--key-mask", pattern, "--transport", "inline", "--frames", "1001,1003")
    assert said.code == 0, said.err
    np.testing.assert_array_equal(held.clip.read_alpha(1003), held.clip.read_mask(1003))
    frames.write_picture(held.clip.file("mask", 1003), np.ones((40, 64), np.float32), ("A",))
    wrong = held("--object", "dog", "--key-mask", pattern, "--transport", "inline")
    assert wrong.code == 1
    assert "key mask of dog frame 1003: it is 64x40, the plate is 96x64" in wrong.err


@pytest.mark.parametrize(
    ("words", "maker", "said"),
    [
        ([], (), "--maker not given"),
        ([], ("--maker", "held"), "the engine held makes masks from prompts"),
        (["--click", "1001:5,5"], ("--maker", "held"), "the engine held takes no clicks"),
        (["--click", "1001:5,5"], ("--maker", "classic"), "the engine classic takes no prompts"),
        (["--say", "dog", "--object", "b", "--say", "cat"], ("--maker", "held"), "takes no words"),
        (["--key-mask", "none.exr"], ("--maker", "held"), "none.exr"),
    ],
)
def test_what_cannot_be_is_refused_by_a_sentence(held, words, maker, said):
    refused = held(*words, maker=maker)
    assert refused.code == (2 if "not given" in said else 1)
    assert said in refused.err
    assert len(refused.err.strip().splitlines()) >= 2  # what is wrong, and what to do


def test_a_painted_frame_is_never_written_over(held):
    keys = held.clip.folder / "out"
    keys.mkdir()
    for frame in (1001, 1003):
        (keys / f"alpha.{frame}.exr").write_bytes(held.clip.file("mask", frame).read_bytes())
    refused = held("--key-mask", str(keys / "alpha.####.exr"))
    assert refused.code == 1
    assert "would overwrite the key mask" in refused.err
    assert (keys / "alpha.1001.exr").read_bytes() == held.clip.file("mask", 1001).read_bytes()


def test_masks_of_several_objects_are_layers_of_one_file(held):
    painted = [str(held.clip.file("mask", frame)) for frame in (1001, 1003)]
    said = held("--object", "hero", "--key-mask", painted[0], "--object", "dog", "--key-mask", painted[1])
    assert said.code == 0, said.err
    for name, painted_on in (("hero", 1001), ("dog", 1003)):
        layer = frames.read_mask(held.clip.alpha_file(1002), f"{name}.A").pixels[..., 0]
        np.testing.assert_array_equal(layer, held.clip.read_mask(painted_on))
