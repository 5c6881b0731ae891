"""The pixels of the stand-in against real files: windows, padding, names, half, atomic writes, operators."""

from __future__ import annotations

import numpy as np
import OpenImageIO as oiio
import pytest
from nuke_standin.pixels.boxes import Box
from nuke_standin.pixels.channel_sets import select, single
from nuke_standin.pixels.names import mapped, written
from nuke_standin.pixels.reading import Files
from nuke_standin.pixels.serve import Server

READ = {
    "op": "read",
    "node": "Read1",
    "inputs": [],
    "version": 0,
    "view": "main",
    "raw": True,
    "colorspace": "default",
    "premultiplied": False,
    "auto_alpha": False,
    "edge_pixels": "plate detect",
    "offset_negative_display_window": True,
    "on_error": "error",
    "format": [8, 6, 1.0, ""],
    "scale": 1.0,
}
WRITE = {
    "node": "Write1",
    "channels": "rgba",
    "file_type": "exr",
    "datatype": "32 bit float",
    "compression": "Zip (1 scanline)",
    "dw_compression_level": 45,
    "raw": True,
    "colorspace": "default",
    "premultiplied": False,
    "create_directories": False,
    "write_full_layer_names": False,
}
FORM = [8, 6, 1.0, ""]


@pytest.fixture
def server():
    return Server()


def reading(path, **more):
    return {**READ, "path": str(path), **more}


def plan(*steps):
    return {"steps": list(steps)}


def ok(server, **request):
    reply = server.answer(request)
    assert "error" not in reply, reply
    return reply["ok"]


def facts(server, *steps):
    return ok(server, do="facts", plan=plan(*steps))


def error(server, *steps, **order):
    request = {"do": "write", "order": {**WRITE, **order}} if order else {"do": "facts"}
    return server.answer({**request, "plan": plan(*steps)})["error"]


def render(server, path, *steps, **order):
    ok(server, do="write", plan=plan(*steps), order={**WRITE, "path": str(path), **order})


def sample(server, channel, box, *steps):
    return ok(server, do="sample", plan=plan(*steps), channel=channel, box=list(box))


def colour(rgba, form=FORM, **more):
    return {"op": "constant", "inputs": [], "color": list(rgba), "channels": "rgba", "format": form, **more}


def numbered(height=6, width=8, channels=4):
    """Every pixel and channel has a value of its own, exact in half."""
    return (np.arange(height * width * channels).reshape(height, width, channels) / 256).astype(np.float32)


# Windows


def test_y_up_in_nuke_and_y_down_in_the_file(server, exr, tmp_path):
    pixels = numbered()
    path = exr.write(tmp_path / "a.exr", pixels)
    lowest = sample(server, "rgba.red", (0, 0, 1, 1), reading(path))
    assert lowest == pixels[-1, 0, 0]
    render(server, tmp_path / "b.exr", reading(path))
    assert np.array_equal(exr.read(tmp_path / "b.exr").pixels, pixels)


def test_equal_windows_get_no_padding(server, exr, tmp_path):
    path = exr.write(tmp_path / "a.exr", numbered())
    assert facts(server, reading(path))["bbox"] == [0, 0, 8, 6]


def test_plate_detect_adds_one_black_pixel_on_every_side(server, exr, tmp_path):
    path = exr.write(tmp_path / "a.exr", np.ones((2, 3, 4)), display=(0, 0, 8, 6), origin=(2, 1))
    found = facts(server, reading(path))
    assert found["format"][:2] == [8, 6]
    assert found["bbox"] == [1, 2, 6, 6], "data is x 2..5, y 3..5 counted upwards, and a pixel more each side"
    assert sample(server, "rgba.red", (1, 3, 2, 4), reading(path)) == 0
    assert sample(server, "rgba.red", (2, 3, 3, 4), reading(path)) == 1


def test_padding_is_taken_off_again_when_written(server, exr, tmp_path):
    path = exr.write(tmp_path / "a.exr", np.ones((2, 3, 4)), display=(0, 0, 8, 6), origin=(2, 1))
    render(server, tmp_path / "b.exr", reading(path))
    after = exr.read(tmp_path / "b.exr")
    assert (after.data, after.display) == ((2, 1, 3, 2), (0, 0, 8, 6))


def test_bbox_outside_the_format_is_kept(server, exr, tmp_path):
    path = exr.write(tmp_path / "a.exr", numbered(10, 12), display=(0, 0, 8, 6), origin=(-2, -2))
    assert facts(server, reading(path))["bbox"] == [-3, -3, 11, 9]
    render(server, tmp_path / "b.exr", reading(path))
    after = exr.read(tmp_path / "b.exr")
    assert after.data == (-2, -2, 12, 10)
    assert np.array_equal(after.pixels, numbered(10, 12))


def test_negative_display_window_is_shifted_unless_told_not_to(server, exr, tmp_path):
    path = exr.write(tmp_path / "a.exr", numbered(6, 12), display=(-2, 0, 12, 6), origin=(-2, 0))
    assert facts(server, reading(path)) | {"channels": 0} == {
        "format": [12, 6, 1.0, ""],
        "bbox": [0, 0, 12, 6],
        "channels": 0,
    }
    overscan = facts(server, reading(path, offset_negative_display_window=False))
    assert overscan["format"][:2] == [10, 6]
    assert overscan["bbox"][0] == -2


def test_a_display_window_right_of_zero_is_refused_rather_than_guessed(server, exr, tmp_path):
    path = exr.write(tmp_path / "a.exr", numbered(), display=(3, 0, 8, 6), origin=(3, 0))
    assert "display window that begins at x = 3" in error(server, reading(path))


@pytest.mark.parametrize(
    ("choice", "bbox"),
    [("black", [-1, -1, 9, 7]), ("repeat", [0, 0, 8, 6]), ("edge detect", [0, 0, 8, 6])],
)
def test_edge_pixels_of_a_full_picture(server, exr, tmp_path, choice, bbox):
    path = exr.write(tmp_path / "a.exr", numbered())
    assert facts(server, reading(path, edge_pixels=choice))["bbox"] == bbox


def test_edge_detect_pads_only_the_sides_that_differ(server, exr, tmp_path):
    path = exr.write(tmp_path / "a.exr", np.ones((6, 5, 4)), display=(0, 0, 8, 6), origin=(0, 0))
    assert facts(server, reading(path, edge_pixels="edge detect"))["bbox"] == [0, 0, 6, 6]


def test_outside_the_box_the_edge_repeats_without_padding_and_is_black_with_it(server, exr, tmp_path):
    path = exr.flat(tmp_path / "a.exr", (1, 1, 1, 1))
    assert sample(server, "rgba.red", (20, 20, 21, 21), reading(path)) == 1
    assert sample(server, "rgba.red", (20, 20, 21, 21), reading(path, edge_pixels="black")) == 0


def test_pixel_aspect_goes_through(server, exr, tmp_path):
    path = exr.write(tmp_path / "a.exr", numbered(), aspect=2.0)
    assert facts(server, reading(path))["format"][2] == 2.0
    render(server, tmp_path / "b.exr", reading(path))
    assert exr.read(tmp_path / "b.exr").aspect == 2.0


# Names of channels


def test_a_file_of_alpha_only_has_alpha_only(server, exr, tmp_path):
    path = exr.write(tmp_path / "a.exr", np.ones((6, 8, 1)), "A")
    assert facts(server, reading(path))["channels"] == ["rgba.alpha"]
    assert sample(server, "rgba.red", (0, 0, 8, 6), reading(path)) == 0
    assert sample(server, "rgba.alpha", (0, 0, 8, 6), reading(path)) == 1


def test_y_is_red_when_raw_and_grey_otherwise(server, exr, tmp_path):
    path = exr.write(tmp_path / "a.exr", np.ones((6, 8, 1)), "Y")
    assert facts(server, reading(path))["channels"] == ["rgba.red"]
    assert facts(server, reading(path, raw=False))["channels"] == ["rgba.red", "rgba.green", "rgba.blue"]


@pytest.mark.parametrize(
    ("stored", "nuke"),
    [
        ("r", "rgba.red"),
        ("ALPHA", "rgba.alpha"),
        ("Ci.g", "rgba.green"),
        ("rgba.blue", "rgba.blue"),
        ("roto.alpha", "roto.alpha"),
        ("roto.A", "roto.alpha"),
        ("2nd-pass.R", "nd_pass.red"),
        ("Z", "depth.Z"),
        ("light.key.R", "light_key.red"),
    ],
)
def test_names_on_the_way_in(stored, nuke):
    assert mapped([stored], raw=True) == {nuke: stored}


def test_names_on_the_way_out():
    assert [written(name) for name in ("rgba.red", "rgba.alpha", "roto.alpha")] == ["R", "A", "roto.alpha"]
    assert written("rgba.red", full=True) == "rgba.red"


def test_views_inside_one_file(exr):
    names = ["R", "right.R", "roto.right.A"]
    assert mapped(names, True, "left", ("left", "right")) == {"rgba.red": "R"}
    assert mapped(names, True, "right", ("left", "right")) == {"rgba.red": "right.R", "roto.alpha": "roto.right.A"}


def test_channel_words():
    present = ("rgba.red", "rgba.green", "rgba.blue", "rgba.alpha", "roto.alpha", "roto.red")
    assert select("rgb", present) == ("rgba.red", "rgba.green", "rgba.blue")
    assert select("roto", present) == ("roto.red", "roto.alpha")
    assert select("{rgba.red -rgba.green roto.alpha none}", present) == ("rgba.red", "roto.alpha")
    assert select("all", present) == select("rgba roto", present)
    assert select("none", present) == ()
    assert (single("alpha"), single("none"), single("roto.alpha")) == ("rgba.alpha", None, "roto.alpha")


def test_layers_of_a_multi_layer_file_are_written_under_their_names(server, exr, tmp_path):
    names = ["R", "G", "B", "A", "roto.alpha"]
    path = exr.write(tmp_path / "a.exr", numbered(channels=5), names)
    render(server, tmp_path / "b.exr", reading(path), channels="all")
    after = exr.read(tmp_path / "b.exr")
    assert sorted(after.names) == sorted(names)
    assert np.array_equal(after.channel("roto.alpha"), numbered(channels=5)[..., 4])


def test_parts_become_layers(server, tmp_path):
    path = tmp_path / "parts.exr"
    parts = [("rgba", 0.25, ("R", "G", "B")), ("roto", 0.75, ("A",))]
    multi_part(path, parts)
    assert facts(server, reading(path))["channels"] == ["rgba.red", "rgba.green", "rgba.blue", "roto.alpha"]
    assert sample(server, "roto.alpha", (0, 0, 8, 6), reading(path)) == 0.75


def test_parts_with_different_windows_are_an_error(server, tmp_path):
    path = tmp_path / "parts.exr"
    multi_part(path, [("rgba", 0.25, ("R",)), ("roto", 0.75, ("A",))], shrink=1)
    assert "parts of the file differ" in error(server, reading(path))


def multi_part(path, parts, shrink=0):
    specs = []
    for index, (name, _, names) in enumerate(parts):
        spec = oiio.ImageSpec(8 - shrink * index, 6, len(names), "float")
        spec.full_width, spec.full_height = 8, 6
        spec.channelnames = names
        spec.attribute("oiio:subimagename", name)
        specs.append(spec)
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), tuple(specs))
    for index, (_, value, _names) in enumerate(parts):
        if index:
            assert output.open(str(path), specs[index], "AppendSubimage")
        assert output.write_image(np.full((6, specs[index].width, specs[index].nchannels), value, np.float32))
    output.close()


# Writing


def test_channels_default_to_rgb_and_alpha_is_left_out(server, exr, tmp_path):
    render(server, tmp_path / "a.exr", colour((0.5, 0.5, 0.5, 1)), channels="rgb")
    assert sorted(exr.read(tmp_path / "a.exr").names) == ["B", "G", "R"]


def test_no_channels_to_write_is_an_error(server, exr, tmp_path):
    path = exr.write(tmp_path / "a.exr", np.ones((6, 8, 1)), "A")
    text = error(server, reading(path), path=str(tmp_path / "b.exr"), channels="rgb")
    assert text == "Write1: No channels selected (or available) for write"
    assert not (tmp_path / "b.exr").exists()


def test_half_rounds_and_overflows(server, exr, tmp_path):
    render(server, tmp_path / "a.exr", colour((1 / 3, 70000, -70000, 65504)), datatype="16 bit half")
    after = exr.read(tmp_path / "a.exr")
    assert after.dtype == "half"
    assert after.channel("R")[0, 0] == np.float32(np.float16(1 / 3))
    assert after.channel("R")[0, 0] != np.float32(1 / 3)
    assert after.channel("G")[0, 0] == np.inf
    assert after.channel("B")[0, 0] == -np.inf
    assert after.channel("A")[0, 0] == 65504


@pytest.mark.parametrize(
    ("knob", "stored"),
    [
        ("none", "none"),
        ("Zip (1 scanline)", "zips"),
        ("Zip (16 scanlines)", "zip"),
        ("PIZ Wavelet (32 scanlines)", "piz"),
        ("DWAA", "dwaa"),
    ],
)
def test_compressions_by_nukes_names(server, exr, tmp_path, knob, stored):
    render(server, tmp_path / "a.exr", colour((1, 0, 0, 1)), compression=knob)
    assert exr.read(tmp_path / "a.exr").compression == stored


def test_create_directories_off_is_an_error(server, tmp_path):
    path = tmp_path / "new" / "a.exr"
    assert "No such file or directory" in error(server, colour((1, 0, 0, 1)), path=str(path))
    assert not path.parent.exists()
    render(server, path, colour((1, 0, 0, 1)), create_directories=True)
    assert path.is_file()


def test_backslashes_are_an_error(server):
    assert "backslashes" in error(server, colour((1, 0, 0, 1)), path="C:\\shots\\a.exr")


def test_a_failed_write_leaves_neither_half_a_file_nor_a_temporary_one(server, exr, tmp_path):
    path = exr.flat(tmp_path / "a.exr", (1, 1, 1, 1))
    before = (tmp_path / "a.exr").read_bytes()
    assert "datatype" in error(server, reading(path), path=path, datatype="64 bit")
    assert (tmp_path / "a.exr").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.exr"]


# Colour


def test_linear_passes_and_other_spaces_are_refused(server, exr, tmp_path):
    path = exr.flat(tmp_path / "a.exr", (0.5, 0.5, 0.5, 1))
    for name in ("default", "linear", "scene_linear", "default (scene_linear)"):
        assert sample(server, "rgba.red", (0, 0, 1, 1), reading(path, raw=False, colorspace=name)) == 0.5
    text = error(server, reading(path, raw=False, colorspace="ACEScg", on_error="black"))
    assert text.startswith("Read1: the stand-in does not know the colour space 'ACEScg'")


def test_eight_bit_files_are_srgb_unless_raw(server, tmp_path):
    order = {"file_type": "png", "datatype": "8 bit", "raw": False, "channels": "rgba"}
    render(server, tmp_path / "a.png", colour((0.2159, 0.2159, 0.2159, 0.5)), **order)
    stored = sample(server, "rgba.red", (0, 0, 1, 1), reading(tmp_path / "a.png"))
    assert stored == pytest.approx(0.5, abs=0.004)
    linear = sample(server, "rgba.red", (0, 0, 1, 1), reading(tmp_path / "a.png", raw=False))
    assert linear == pytest.approx(0.2159, abs=0.004)
    assert sample(server, "rgba.alpha", (0, 0, 1, 1), reading(tmp_path / "a.png")) == pytest.approx(0.5, abs=0.004)


# Reading what is missing, and what changed


def test_a_missing_file_says_so_in_nukes_words(server, tmp_path):
    path = tmp_path / "gone.0001.exr"
    assert error(server, reading(path)) == f"Read1: {path}: No such file or directory"


@pytest.mark.parametrize(("mode", "value"), [("black", 0), ("nearest frame", 0.5)])
def test_on_error(server, exr, tmp_path, mode, value):
    near = exr.flat(tmp_path / "near.exr", (0.5, 0.5, 0.5, 1))
    step = reading(tmp_path / "gone.exr", on_error=mode, nearest=[str(tmp_path / "also_gone.exr"), near])
    assert sample(server, "rgba.red", (0, 0, 8, 6), step) == value


def test_on_error_checkerboard_is_opaque(server, tmp_path):
    step = reading(tmp_path / "gone.exr", on_error="checkerboard")
    assert sample(server, "rgba.alpha", (0, 0, 8, 6), step) == 1


def test_nearest_frame_with_none_near_is_the_error_again(server, tmp_path):
    assert "No such file" in error(server, reading(tmp_path / "gone.exr", on_error="nearest frame", nearest=[]))


def test_an_overwritten_file_is_not_noticed_until_the_version_counts_up(server, exr, tmp_path):
    path = exr.flat(tmp_path / "a.exr", (0.25, 0, 0, 1))
    assert sample(server, "rgba.red", (0, 0, 1, 1), reading(path)) == 0.25
    exr.flat(tmp_path / "a.exr", (0.75, 0, 0, 1))
    assert sample(server, "rgba.red", (0, 0, 1, 1), reading(path)) == 0.25
    assert sample(server, "rgba.red", (0, 0, 1, 1), reading(path, version=1)) == 0.75


def test_a_broken_file_is_an_error_that_names_it(server, tmp_path):
    path = tmp_path / "broken.exr"
    path.write_bytes(b"not a picture")
    assert str(path) in error(server, reading(path))


# Operators


def copying(pairs, bbox="B", **more):
    return {
        "op": "copy",
        "node": "Copy1",
        "inputs": [0, 1, None],
        "pairs": pairs,
        "channels": "none",
        "bbox": bbox,
        **more,
    }


def test_copy_takes_a_channel_and_keeps_the_rest(server):
    steps = [colour((0.1, 0.2, 0.3, 1)), colour((0, 0, 0, 0.5)), copying([["rgba.alpha", "rgba.alpha"]])]
    assert sample(server, "rgba.alpha", (0, 0, 8, 6), *steps) == 0.5
    assert sample(server, "rgba.blue", (0, 0, 8, 6), *steps) == pytest.approx(0.3)


def test_copy_of_a_channel_that_is_not_there_gives_zero(server, exr, tmp_path):
    rgb = exr.flat(tmp_path / "a.exr", (1, 1, 1))
    steps = [colour((1, 1, 1, 1)), reading(rgb), copying([["rgba.alpha", "rgba.alpha"]])]
    assert sample(server, "rgba.alpha", (0, 0, 8, 6), *steps) == 0


def test_copy_into_a_layer_of_its_own(server):
    steps = [colour((1, 1, 1, 1)), colour((0, 0, 0, 0.5)), copying([["rgba.alpha", "vmama.alpha"]])]
    assert "vmama.alpha" in facts(server, *steps)["channels"]
    assert sample(server, "rgba.alpha", (0, 0, 8, 6), *steps) == 1
    assert sample(server, "vmama.alpha", (0, 0, 8, 6), *steps) == 0.5


@pytest.mark.parametrize(
    ("bbox", "expected"),
    [("B", [0, 0, 8, 6]), ("A", [0, 0, 16, 4]), ("union", [0, 0, 16, 6]), ("intersection", [0, 0, 8, 4])],
)
def test_bbox_of_copy(server, bbox, expected):
    steps = [
        colour((1, 1, 1, 1)),
        colour((0, 0, 0, 1), [16, 4, 1.0, ""]),
        copying([["rgba.alpha", "rgba.alpha"]], bbox),
    ]
    found = facts(server, *steps)
    assert (found["bbox"], found["format"][:2]) == (expected, [8, 6])


def test_the_mask_of_copy_blends(server):
    half = colour((0, 0, 0, 0.25))
    step = copying([["rgba.alpha", "rgba.alpha"]], mask_channel="rgba.alpha", mix=1.0)
    steps = [colour((1, 1, 1, 1)), colour((0, 0, 0, 0)), half, {**step, "inputs": [0, 1, 2]}]
    assert sample(server, "rgba.alpha", (0, 0, 8, 6), *steps) == 0.75


@pytest.mark.parametrize(
    ("operation", "left"), [("keep", ["rgba.alpha"]), ("remove", ["rgba.red", "rgba.green", "rgba.blue"])]
)
def test_remove(server, operation, left):
    step = {"op": "remove", "inputs": [0], "operation": operation, "channels": ["alpha", "none"]}
    assert facts(server, colour((1, 1, 1, 1)), step)["channels"] == left


def test_premult_and_back(server):
    knobs = {"channels": "rgb", "alpha": "rgba.alpha", "inputs": [0]}
    steps = [colour((0.5, 0.5, 0.5, 0.5)), {**knobs, "op": "premult"}]
    assert sample(server, "rgba.red", (0, 0, 1, 1), *steps) == 0.25
    assert sample(server, "rgba.alpha", (0, 0, 1, 1), *steps) == 0.5
    assert sample(server, "rgba.red", (0, 0, 1, 1), *steps, {**knobs, "op": "unpremult", "inputs": [1]}) == 0.5


def cropping(box, **more):
    knobs = {"op": "crop", "node": "Crop1", "inputs": [0], "box": list(box), "intersect": False}
    return {**knobs, "crop": True, "reformat": False, **more}


def test_crop_is_black_outside(server, exr, tmp_path):
    steps = [colour((1, 1, 1, 1)), cropping((2, 1, 6, 5))]
    assert sample(server, "rgba.red", (2, 1, 6, 5), *steps) == 1
    assert sample(server, "rgba.red", (0, 0, 2, 1), *steps) == 0
    render(server, tmp_path / "a.exr", *steps)
    assert exr.read(tmp_path / "a.exr").data == (2, 1, 4, 4)


def test_crop_reformats(server):
    found = facts(server, colour((1, 1, 1, 1)), cropping((2, 1, 6, 5), reformat=True, crop=False))
    assert (found["format"][:2], found["bbox"]) == ([4, 4], [0, 0, 4, 4])


def test_crop_intersects(server):
    assert facts(server, colour((1, 1, 1, 1)), cropping((2, 1, 60, 50), intersect=True, crop=False))["bbox"] == [
        2,
        1,
        8,
        6,
    ]


def merging(operation, **more):
    return {
        "op": "merge",
        "node": "Merge1",
        "inputs": [0, 1, None],
        "operation": operation,
        "channels": "rgba",
        "bbox": "union",
        **more,
    }


@pytest.mark.parametrize(("operation", "red"), [("over", 0.75), ("copy", 0.5), ("plus", 1.0)])
def test_merge(server, operation, red):
    steps = [colour((0.5, 0, 0, 1)), colour((0.5, 0, 0, 0.5)), merging(operation)]
    assert sample(server, "rgba.red", (0, 0, 8, 6), *steps) == red


def test_merge_refuses_what_it_does_not_know(server):
    assert "'dither'" in error(server, colour((1, 1, 1, 1)), colour((1, 1, 1, 1)), merging("dither"))


def test_grade(server):
    four = {
        k: [v] * 4
        for k, v in {"blackpoint": 0, "whitepoint": 1, "black": 0, "white": 1, "add": 0.25, "gamma": 1}.items()
    }
    step = {"op": "grade", "node": "Grade1", "inputs": [0, None], "channels": "rgb", "multiply": [2, 1, 1, 1], **four}
    step |= {"black_clamp": True, "white_clamp": False}
    steps = [colour((0.5, 0.5, 0.5, 0.5)), step]
    assert [sample(server, f"rgba.{c}", (0, 0, 1, 1), *steps) for c in ("red", "green", "alpha")] == [1.25, 0.75, 0.5]


def test_blur_grows_the_box_and_keeps_the_mean(server):
    crop = cropping((2, 2, 6, 4))
    blur = {"op": "blur", "node": "Blur1", "inputs": [1, None], "channels": "rgba", "size": [4, 4]}
    steps = [colour((1, 1, 1, 1)), crop, blur]
    assert facts(server, *steps)["bbox"] == [-1, -1, 9, 7]
    assert sample(server, "rgba.red", (-1, -1, 9, 7), *steps) * 80 == pytest.approx(8, abs=1e-4)


def test_shuffle(server):
    step = {"op": "shuffle", "inputs": [0], "mappings": [[0, "rgba.alpha", "rgba.red"], [0, "white", "rgba.alpha"]]}
    steps = [colour((0, 0.5, 0, 0.25)), step]
    assert [sample(server, f"rgba.{c}", (0, 0, 1, 1), *steps) for c in ("red", "green", "alpha")] == [0.25, 0.5, 1]


def reformatting(form, **more):
    step = {"op": "reformat", "node": "Reformat1", "inputs": [0], "type": "to format", "format": form, "scale": [1, 1]}
    return {**step, "resize": "width", "center": True, "pbb": False, **more}


def test_reformat_to_half_the_width(server):
    found = facts(server, colour((1, 1, 1, 1)), reformatting([4, 3, 1.0, ""]))
    assert (found["format"][:2], found["bbox"]) == ([4, 3], [0, 0, 4, 3])


def test_reformat_undoes_an_anamorphic_aspect(server):
    wide = colour((1, 1, 1, 1), [8, 6, 2.0, ""])
    found = facts(server, wide, reformatting([16, 6, 1.0, ""], resize="distort"))
    assert found["format"] == [16, 6, 1.0, ""]
    assert facts(server, wide, reformatting([16, 6, 1.0, ""]))["bbox"] == [0, 0, 16, 6]


def test_reformat_without_scaling_centres(server):
    found = facts(server, colour((1, 1, 1, 1)), reformatting([16, 10, 1.0, ""], resize="none"))
    assert found["bbox"] == [4, 2, 12, 8]


def test_shrinking_averages(server, exr, tmp_path):
    pixels = numbered()
    path = exr.write(tmp_path / "a.exr", pixels)
    lowest = sample(server, "rgba.red", (0, 0, 1, 1), reading(path, scale=0.5))
    assert lowest == pytest.approx(pixels[-2:, :2, 0].mean(), rel=1e-6)


def test_boxes():
    assert Box(0, 0, 8, 6).scaled(0.5, 0.5) == Box(0, 0, 4, 3)
    assert Box(-1, -1, 9, 7).scaled(0.5, 0.5) == Box(-1, -1, 5, 4)
    assert Box(0, 0, 2, 2).common(Box(5, 5, 9, 9)) == Box(5, 5, 6, 6)


def test_the_oldest_files_are_forgotten_when_memory_is_full(exr, tmp_path):
    paths = [exr.flat(tmp_path / f"{name}.exr", (0.5, 0, 0, 1)) for name in "abc"]
    files = Files(limit=2 * 8 * 6 * 4 * 4)
    first = files.get("Read1", paths[0], 0)
    second = files.get("Read1", paths[1], 0)
    files.get("Read1", paths[2], 0)
    assert files.get("Read1", paths[1], 0) is second
    assert files.get("Read1", paths[0], 0) is not first


def test_the_default_of_an_ocio_project_is_linear_for_float_files_only(server, exr, tmp_path):
    path = exr.flat(tmp_path / "a.exr", (0.5, 0.5, 0.5, 1))
    assert sample(server, "rgba.red", (0, 0, 1, 1), reading(path, raw=False, colorspace="default OCIO")) == 0.5
    render(server, tmp_path / "a.png", colour((0.5, 0.5, 0.5, 1)), file_type="png", datatype="8 bit")
    assert "colour space" in error(server, reading(tmp_path / "a.png", raw=False, colorspace="default OCIO"))


def test_auto_alpha_is_one_everywhere(server, exr, tmp_path):
    path = exr.flat(tmp_path / "a.exr", (0.5, 0.5, 0.5))
    assert sample(server, "rgba.alpha", (0, 0, 8, 6), reading(path)) == 0
    assert sample(server, "rgba.alpha", (0, 0, 8, 6), reading(path, auto_alpha=True)) == 1


def test_premultiplied_colour_is_divided_before_the_curve(server, exr, tmp_path):
    path = exr.flat(tmp_path / "a.exr", (0.25, 0.25, 0.25, 0.5))
    plain = sample(server, "rgba.red", (0, 0, 1, 1), reading(path, raw=False, colorspace="sRGB"))
    divided = sample(server, "rgba.red", (0, 0, 1, 1), reading(path, raw=False, colorspace="sRGB", premultiplied=True))
    assert plain == pytest.approx(0.0509, abs=1e-4)
    assert divided == pytest.approx(0.2140 * 0.5, abs=1e-4)


@pytest.mark.parametrize("name", ["sRGB", "rec709"])
def test_curves_there_and_back(server, exr, tmp_path, name):
    render(server, tmp_path / "a.exr", colour((0.001, 0.18, 2.0, 1)), raw=False, colorspace=name)
    step = reading(tmp_path / "a.exr", raw=False, colorspace=name)
    found = [sample(server, f"rgba.{c}", (0, 0, 1, 1), step) for c in ("red", "green", "blue")]
    assert found == pytest.approx([0.001, 0.18, 2.0], rel=1e-3)
