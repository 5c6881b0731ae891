"""`videomama foreground`, and foreground colour as part of `videomama matte`."""

import json

import numpy as np
import pytest
from videomama_server.foreground import estimate
from videomama_server.media import frames


@pytest.fixture
def matte(videomama, server, make_clip):
    """Run `matte` with the mask as alpha on a clip of three frames, writing foreground colour too."""
    clip = make_clip(count=3)
    target = str(clip.folder / "colour" / "foreground.####.exr")

    def run(*more: object, foreground: str = target):
        flags = clip.flags("--connection-file", str(server.connection_file), "--foreground", foreground)
        return videomama(*flags, *more)

    run.clip, run.target = clip, target
    return run


def colour_of(clip, number):
    plate = frames.read_plate(clip.file("plate", number)).pixels
    return plate, frames.read_plate(clip.folder / "colour" / f"foreground.{number:04d}.exr").pixels


def written(clip):
    return sorted(path.name for path in (clip.folder / "colour").iterdir())


def test_matte_writes_the_foreground_of_its_alphas(matte):
    said = matte()
    assert said.code == 0, said.err
    assert said.out.splitlines()[-2:] == [matte.clip.out, matte.target]
    for number in matte.clip.numbers:
        plate, found = colour_of(matte.clip, number)
        expected = estimate(plate, matte.clip.read_alpha(number))
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_matte_of_some_frames_writes_no_others(matte):
    assert matte().code == 0
    for number in matte.clip.numbers:
        (matte.clip.folder / "colour" / f"foreground.{number:04d}.exr").unlink()
    second = matte.clip.numbers[1]
    said = matte("--frames", second)
    assert said.code == 0, said.err
    assert written(matte.clip) == [f"foreground.{second:04d}.exr"]


def test_matte_to_a_layer_and_inline(matte):
    said = matte("--layer", "hair", "--transport", "inline", "--clip", f"{matte.clip.first}-{matte.clip.first + 1}")
    assert said.code == 0, said.err
    assert len(written(matte.clip)) == 2


def test_matte_as_json_names_the_foreground(matte):
    assert json.loads(matte("--json").out)["foreground"] == matte.target


@pytest.mark.parametrize("name", ["colour.####.png", "plate.####.exr", "mask.####.exr", "out/alpha.####.exr"])
def test_matte_refuses_a_bad_name_before_the_job(matte, name):
    said = matte(foreground=str(matte.clip.folder / name))
    assert said.code == 1
    assert said.err.lstrip().startswith("Error: ")
    assert not any(matte.clip.alpha_file(number).exists() for number in matte.clip.numbers)


@pytest.fixture
def command(videomama, make_clip):
    clip = make_clip(count=3)

    def run(*more: object, **changes: str):
        named = {"plate": clip.plate, "alpha": clip.mask, "out": str(clip.folder / "colour/foreground.####.exr")}
        words = [word for name, value in {**named, **changes}.items() for word in (f"--{name}", value)]
        return videomama("foreground", *words, *more)

    run.clip = clip
    return run


def test_the_command(command):
    said = command()
    assert said.code == 0, said.err
    assert said.out.startswith("3 frames in ")
    plate, found = colour_of(command.clip, command.clip.first)
    mask = command.clip.read_mask(command.clip.first)
    np.testing.assert_allclose(found, estimate(plate, mask), rtol=1e-3, atol=1e-3)


def test_the_command_says_which_colour_space_was_used_and_what_it_doubts(command):
    first = command.clip.file("plate", command.clip.first)
    pixels = frames.read_plate(first).pixels
    frames.write_picture(first, pixels, attributes={"colorInteropID": "g22_adobergb_scene"})
    said = command()
    assert "plate as lin_rec709" in said.out
    assert "g22_adobergb_scene" in said.err
    assert "--colorspace" in json.loads(command("--json").out)["warnings"][0]
    assert json.loads(command("--json", "--colorspace", "ACEScg").out)["colorspace"] == "ACEScg"


def test_the_command_as_json_for_some_frames(command):
    said = command("--frames", command.clip.first, "--json")
    result = json.loads(said.out)
    assert (result["frames"], len(written(command.clip))) == (1, 1)
    assert result["out"].endswith("foreground.####.exr")


@pytest.mark.parametrize(
    ("words", "changes", "said"),
    [
        ([], {"plate": "nothing.####.exr"}, "plate: no frames match"),
        ([], {"out": "f.####.jpg"}, "cannot write foreground colour"),
        (["--frames", "9000"], {}, "missing: plate frames 9000"),
        (["--frames", "one"], {}, "is not a valid frame range"),
        (["--alpha-channel", "hair"], {}, "no channel 'hair'"),
        (["--plate-layer", "hair"], {}, "no R, G and B in layer"),
        (["--colorspace", "hair"], {}, "unknown colour space"),
    ],
)
def test_bad_input_is_one_message(command, words, changes, said):
    answer = command(*words, **changes)
    assert answer.code == 1
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_a_pixel_type_that_cannot_hold_it_is_a_usage_error(command):
    assert command("--dtype", "uint16").code == 2
