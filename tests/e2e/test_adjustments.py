"""Adjustments of finished alphas as jobs of a real server: parts, ends and gaps of a clip, and what is done again."""

import cv2
import numpy as np
import pytest
from videomama_client.engine_options import EngineOption
from videomama_server.media import frames

SIZE = (160, 96)
CLIP = (*range(997, 1006), *range(1011, 1015))  # with a gap
TO_OTHERS = {"grow": -0.7, "feather": 0.4, "offset_x": 5.5, "black": 0.05, "white": 0.95, "despeckle": 60.0}
OVER_TIME = {"deflicker": 0.8, "deflicker_radius": 2}


def picture(seed):
    noise = np.random.default_rng(seed).random((SIZE[1], SIZE[0], 3), np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 2)


@pytest.fixture
def clip(make_clip):
    """A disc that moves and flickers over a wall."""
    files = make_clip(count=len(range(997, 1015)), first=997, size=SIZE)
    wall, cloth = picture(1), picture(2) + np.float32(0.3)
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    for number in range(997, 1015):
        if number not in CLIP:
            for role in ("plate", "mask"):
                files.file(role, number).unlink()
            continue
        alpha = np.clip((25 - np.hypot(columns - 40 - 3 * (number - 997), rows - 48)) / 4 + 0.5, 0, 1)
        own = np.roll(cloth, 3 * (number - 997), axis=1)
        alpha, rng = alpha.astype(np.float32), np.random.default_rng(number)
        plate = wall + (own - wall) * alpha[..., None]
        frames.write_picture(files.file("plate", number), plate, ("R", "G", "B"), "half")
        alpha = np.clip(alpha + (rng.random() - 0.5) * alpha * (1 - alpha), 0, 1).astype(np.float32)
        frames.write_picture(files.file("mask", number), alpha, ("A",), "float")
    return files


def asked(**options):
    chosen = tuple(EngineOption(name, value) for name, value in options.items())
    return {"engine": "adjust", "engine_options": chosen, "clip": "997-1005,1011-1014"}


def alphas(clip, numbers=CLIP):
    return {number: clip.read_alpha(number).tobytes() for number in numbers}


def test_nothing_asked_gives_every_alpha_back_to_the_bit(server, clip):
    outcome = server.refine(clip, **asked())
    assert (outcome.done.engine, outcome.done.roi) == ("adjust", [0, 0, *SIZE])
    for number in CLIP:
        np.testing.assert_array_equal(clip.read_alpha(number), clip.read_mask(number))


@pytest.mark.parametrize("options", [TO_OTHERS, OVER_TIME, {**TO_OTHERS, **OVER_TIME}])
def test_a_part_gives_the_bits_of_the_whole(server, clip, forget, options):
    server.refine(clip, **asked(**options))
    whole = alphas(clip)
    for part in ("997", "1001-1002", "1005", "1012,1014"):
        forget(server, clip)
        outcome = server.refine(clip, frame_ranges=part, **asked(**options))
        assert outcome.done.computed == len(outcome.numbers)
        assert alphas(clip, outcome.numbers) == {number: whole[number] for number in outcome.numbers}


def test_deflicker_looks_over_no_gap_and_an_edited_alpha_changes_its_neighbours_alone(server, clip):
    server.refine(clip, **asked(**OVER_TIME))
    frames.write_picture(clip.file("mask", 1004), 1 - clip.read_mask(1004), ("A",), "float")
    outcome = server.refine(clip, **asked(**OVER_TIME))
    assert {event.frame for event in outcome.frames if not event.cached} == {1002, 1003, 1004, 1005}


def test_a_region_cuts_nothing_off(server, clip):
    server.refine(clip, **asked(offset_x=480.0))
    whole = alphas(clip)
    outcome = server.refine(clip, **{**asked(offset_x=480.0), "roi": "40,30,32,32"})
    assert outcome.done.computed == 0
    assert alphas(clip) == whole
    moved = round(480 * SIZE[0] / 1920)
    np.testing.assert_array_equal(clip.read_alpha(1001)[:, moved:], clip.read_mask(1001)[:, :-moved])


def test_it_is_asked_for_on_the_command_line(videomama, server, clip):
    words = clip.flags("--connection-file", str(server.connection_file), "--clip", "997-1005,1011-1014")
    said = videomama(*words, "--engine", "adjust", "--set", "grow=-2", "--set", "black=0.1")
    assert said.code == 0, said.err
    assert "by adjust" in said.out
    assert clip.read_alpha(1001).sum() < clip.read_mask(1001).sum()
    said = videomama(*words, "--engine", "adjust", "--set", "black=0.5", "--set", "white=0.4")
    assert said.code != 0
    assert "the white point 0.4 must be above the black point 0.5" in said.err
    assert "Raise white, or lower black." in said.err
