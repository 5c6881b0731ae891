"""`videomama metrics` beyond the plain comparison of two sequences."""

import json
from pathlib import Path

import numpy as np
import pytest
from videomama_server import metrics
from videomama_server.cli import metrics as metrics_command
from videomama_server.media import frames
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.metrics import MEASURES

SIZE = (64, 96)


COLOUR = {"foreground_mad", "foreground_mse"}


def soft_disc(across, size=SIZE, gain=1.0):
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    disc = np.clip((20 - np.hypot(x - 40 - across, y - 32)) / 4 + 0.5, 0, 1)
    return (gain * disc).astype(np.float32)


@pytest.fixture
def written(tmp_path):
    """Write numbered pictures: `written("alpha", pictures)` returns their pattern."""

    def write(name, pictures, first=1001):
        for number, pixels in enumerate(pictures, first):
            channels = ("A",) if pixels.ndim == 2 else ("R", "G", "B")
            frames.write_picture(tmp_path / f"{name}.{number}.exr", pixels, channels, "float")
        return str(tmp_path / f"{name}.####.exr")

    return write


@pytest.fixture
def clip(written):
    """Eight frames; the alpha jumps at 1005 and is wrong by more from then on."""
    truths = [soft_disc(move) for move in range(8)]
    alphas = [soft_disc(move, gain=0.9 if move < 4 else 0.7) for move in range(8)]
    return written("alpha", alphas), written("truth", truths), alphas, truths


def measured(said):
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_every_measure_is_the_mean_over_the_clip(videomama, clip):
    alpha, truth, alphas, truths = clip
    result = measured(videomama("metrics", alpha, truth, "--json"))
    assert list(result) == [name for name in MEASURES if name not in COLOUR] + ["frames", "convention"]
    assert (result["frames"], result["convention"]) == (8, "rvm")
    scorer = metrics.Scorer()
    for pair in zip(alphas, truths, strict=True):
        scorer.add(*pair)
    for name in set(MEASURES) - COLOUR:
        assert result[name] == pytest.approx(getattr(scorer.mean(), name), rel=1e-6)


def test_the_other_convention(videomama, clip):
    ours, theirs = (
        measured(videomama("metrics", *clip[:2], "--json", "--convention", convention))
        for convention in ("rvm", "maggie")
    )
    area = SIZE[0] * SIZE[1]
    assert theirs["convention"] == "maggie"
    assert theirs["mad"] == pytest.approx(ours["mad"] * 1e7 / area, rel=1e-4)
    assert theirs["dtssd"] == pytest.approx(ours["dtssd"] * area**0.5 / 1e3, rel=1e-4)


def test_only_some_measures(videomama, clip):
    result = measured(videomama("metrics", *clip[:2], "--json", "--only", "j", "--only", "mad"))
    assert list(result) == ["mad", "j", "frames", "convention"]


def test_foreground_colour(videomama, clip, written):
    exact = [np.full((*SIZE, 3), 0.5, np.float32)] * 8
    pred = written("pred_colour", [colour + np.float32(0.01) for colour in exact])
    result = measured(videomama("metrics", *clip[:2], "--json", "--foreground", pred, written("true_colour", exact)))
    assert result["foreground_mad"] == pytest.approx(10, rel=1e-4)
    assert result["foreground_mse"] == pytest.approx(0.1, rel=1e-4)


def test_a_measure_of_colour_needs_colour(videomama, clip):
    said = videomama("metrics", *clip[:2], "--only", "foreground_mad")
    assert said.code == 2
    assert "--foreground" in said.err


def test_colour_of_other_frames_is_refused(videomama, clip, written):
    colour = written("colour", [np.zeros((*SIZE, 3), np.float32)] * 7)
    said = videomama("metrics", *clip[:2], "--foreground", colour, colour)
    assert said.code == 1
    assert "frames 1008 are in only one of the two sequences" in said.err


def test_colour_of_another_size_names_the_frame(videomama, clip, written):
    colour = written("colour", [np.zeros((SIZE[0], SIZE[1] + 2, 3), np.float32)] * 8)
    said = videomama("metrics", *clip[:2], "--foreground", colour, colour)
    assert said.code == 1
    assert "frame 1001: " in said.err


def test_seams_and_drift(videomama, clip):
    alpha, truth, alphas, _ = clip
    result = measured(videomama("metrics", alpha, truth, "--json", "--seams", "1001,1005"))
    changes = [metrics.change(alphas[index], alphas[index - 1]) for index in range(1, 8)]
    assert result["seam_change"] == pytest.approx(changes[3], rel=1e-5)
    assert result["other_change"] == pytest.approx(np.mean(changes[:3] + changes[4:]), rel=1e-5)
    assert result["seam_flagged"] is True
    assert result["drift"] == pytest.approx(2, rel=1e-4)  # an error of 0.3 over one of 0.1


def test_seams_that_are_none_of_the_frames_are_refused(videomama, clip):
    said = videomama("metrics", *clip[:2], "--seams", "1001,1020")
    assert said.code == 1
    assert "nothing can be compared" in said.err
    assert videomama("metrics", *clip[:2], "--seams", "some").code == 1


def test_flicker_beside_the_plate(videomama, clip, written):
    still = np.repeat(np.random.default_rng(0).random((*SIZE, 1), dtype=np.float32), 3, axis=2)
    plate = written("plate", [still] * 8)
    result = measured(videomama("metrics", *clip[:2], "--json", "--plate", plate, "--seams", "1005"))
    changes = [metrics.change(clip[2][index], clip[2][index - 1]) for index in range(1, 8)]
    assert result["flicker"] == pytest.approx(np.mean(changes), rel=0.05)


def test_flicker_of_one_frame_has_no_figure(videomama, written):
    one = written("one", [soft_disc(0)])
    plate = written("plate", [np.zeros((*SIZE, 3), np.float32)])
    assert measured(videomama("metrics", one, one, "--json", "--plate", plate))["flicker"] is None


def test_the_table_says_whose_definition_mad_t_is(videomama, clip):
    said = videomama("metrics", *clip[:2])
    lines = {line.split()[0]: line for line in said.out.splitlines()}
    assert "our definition" in lines["mad_t"]
    assert "25 pixels" in lines["mad_t"]
    assert lines.keys() == (set(MEASURES) - COLOUR) | {"frames", "convention"}


@pytest.mark.parametrize("flags", [("--convention", "adobe"), ("--only", "iou"), ("--foreground", "one")], ids=str)
def test_unknown_words_are_usage_errors(videomama, clip, flags):
    assert videomama("metrics", *clip[:2], *flags).code == 2


def test_data_windows_may_change_from_frame_to_frame(videomama, tmp_path):
    display = Rect(0, 0, 96, 64)
    for number, more in ((1001, 0), (1002, 5), (1003, 20)):
        data = display.grow(more, more)
        canvas = np.pad(soft_disc(number - 1001), more)
        for name in ("alpha", "truth"):
            frames.write_picture(tmp_path / f"{name}.{number}.exr", canvas, ("A",), geometry=Geometry(display, data))
        plate = np.repeat(canvas[..., None], 3, axis=2)
        frames.write_picture(tmp_path / f"plate.{number}.exr", plate, geometry=Geometry(display, data))
    names = [str(tmp_path / f"{name}.####.exr") for name in ("alpha", "truth", "plate")]
    said = videomama("metrics", *names[:2], "--plate", names[2], "--json")
    assert said.code == 0, said.err
    result = json.loads(said.out)
    assert (result["mad"], result["dtssd"], result["frames"]) == (0, 0, 3)


def test_a_view_stands_in_patterns(videomama, written):
    written("left", [soft_disc(0)])
    pattern = written("l", [soft_disc(0)])
    said = videomama("metrics", pattern.replace("/l.", "/%V."), pattern.replace("/l.", "/%v."), "--view", "left")
    assert said.code == 0, said.err


def test_metrics_of_an_alpha_against_itself(videomama, make_clip):
    clip = make_clip(count=3)
    said = videomama("metrics", clip.mask, clip.mask, "--json")
    result = json.loads(said.out)
    of_alpha = {name for name in MEASURES if not name.startswith("foreground_")}
    assert result.keys() == of_alpha | {"frames", "convention"}
    assert (result["frames"], result["mad"], result["dtssd"]) == (3, 0.0, 0.0)
    said = videomama("metrics", clip.mask, clip.mask)
    assert said.code == 0
    assert ["frames", "3"] in [line.split() for line in said.out.splitlines()]


def test_metrics_of_one_frame_has_no_change_over_time(videomama, make_clip):
    clip = make_clip(count=1)
    assert json.loads(videomama("metrics", clip.mask, clip.mask, "--json").out)["dtssd"] is None


def test_metrics_refuses_what_cannot_be_compared(videomama, make_clip):
    long, short, large = make_clip(count=3), make_clip(count=2), make_clip(count=3, size=(128, 96))
    said = videomama("metrics", long.mask, short.mask)
    assert said.code == 1
    assert "frames 1003 are in only one of the two sequences" in said.err
    assert videomama("metrics", long.mask, large.mask).code == 1
    assert "no frames match" in videomama("metrics", long.mask, "gone.####.exr").err
    said = videomama("metrics", long.mask, long.mask, "--channel", "roto")
    assert said.code == 1
    assert "no channel 'roto'" in said.err
    long.file("mask", 1002).write_bytes(b"no picture")
    assert f"cannot read {long.file('mask', 1002)}" in videomama("metrics", long.mask, long.mask).err


@pytest.mark.parametrize("words", [[], ["one"], ["one", "two", "three"]], ids=str)
def test_metrics_without_two_patterns_is_a_usage_error(videomama, words):
    assert videomama("metrics", *words).code == 2


def test_figures_have_four_decimals_and_none_is_a_dash():
    assert [metrics_command._text(value) for value in (1.23456, 2, None, True, "rvm")] == [
        "1.2346",
        "2",
        "-",
        "True",
        "rvm",
    ]


def test_names_stand_at_the_right_of_their_column(videomama, clip):
    said = videomama("metrics", *clip[:2], "--only", "mad", "--only", "dtssd")
    lines = said.out.splitlines()
    assert [line.split("  ")[0] if line.startswith("convention") else line[:10] for line in lines] == [
        "       mad",
        "     dtssd",
        "    frames",
        "convention",
    ]


def test_a_seam_on_the_second_frame_has_one_frame_before_it(videomama, clip):
    found = measured(videomama("metrics", *clip[:2], "--json", "--seams", "1002,1006"))
    assert found["drift"] == pytest.approx(2, rel=1e-4)


def test_the_last_part_begins_with_the_frame_of_the_last_seam(videomama, clip):
    found = measured(videomama("metrics", *clip[:2], "--json", "--seams", "1002,1004"))
    assert found["drift"] == pytest.approx((0.1 + 4 * 0.3) / 5 / 0.1 - 1, rel=1e-4)


def test_flicker_is_of_the_plate_as_a_display_shows_it(written):
    plate = written("plate", [np.full((16, 16, 3), value, np.float32) for value in (0.18, 0.0)]).replace("####", "{}")
    for number, shown in ((1001, 0.461), (1002, 0.0)):  # the sRGB curve of scene-linear values, at no exposure
        pixels = metrics_command._display(Path(plate.format(number)), "")
        np.testing.assert_allclose(pixels, np.full((16, 16, 3), shown), atol=2e-3)
