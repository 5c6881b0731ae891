"""Two comps in one place: of two engines, or of one and what it is measured by."""

import base64
from dataclasses import replace

import cv2
import numpy as np
import pytest
from videomama_server.evaluate.report import wipes as wipes_module
from videomama_server.evaluate.report.wipes import wipes


def picture(uri):
    data = np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]


def test_the_first_engine_stands_beside_each_other_one_over_bright_and_dark(done):
    mask, one, other = done.units[:3]
    found = wipes([mask, one, other, replace(other, engine="third")], mask.clip.numbers[0])
    assert [(wipe.names, wipe.ground) for wipe in found] == [
        ((one.engine, other.engine), "bright"), ((one.engine, other.engine), "dark"),
        ((one.engine, "third"), "bright"), ((one.engine, "third"), "dark"),
    ]  # fmt: skip
    assert {wipe.frame for wipe in found} == {mask.clip.numbers[0]}


def test_an_engine_alone_stands_beside_the_truth_or_else_the_mask(done):
    mask, one = done.units[:2]
    blind = replace(mask, clip=replace(mask.clip, truth=None))
    number = mask.clip.numbers[0]
    assert wipes([mask, one], number)[0].names == (one.engine, "truth")
    assert wipes([blind, replace(one, clip=blind.clip)], number)[0].names == (one.engine, "mask")


def test_masks_alone_have_none(done):
    assert wipes(done.units[:1], done.units[0].clip.numbers[0]) == []


def test_both_sides_are_comps_of_one_size_over_their_grey(done, draw, tmp_path):
    mask, one, other = done.units[:3]
    number = mask.clip.numbers[0]
    empty = {number: draw.put(tmp_path / "empty.exr", np.zeros_like(draw.disc(0)))}
    full = {number: draw.put(tmp_path / "full.exr", np.ones_like(draw.disc(0)))}
    bright, dark = wipes([mask, replace(one, alphas=empty), replace(other, alphas=full)], number)
    assert (bright.width, bright.height) == (96, 64)
    for wipe, grey in ((bright, 0.9), (dark, 0.03)):
        left, right = picture(wipe.left), picture(wipe.right)
        assert left.shape == right.shape == (wipe.height, wipe.width, 3)
        np.testing.assert_allclose(left / 255, grey, atol=0.02)
        assert np.abs(right / 255 - grey).max() > 0.2


@pytest.mark.parametrize(("limit", "pixels"), [("_WIDTH", 48), ("_TALLEST", 32)])
def test_a_large_plate_is_made_smaller_as_a_whole(done, monkeypatch, limit, pixels):
    monkeypatch.setattr(wipes_module, limit, pixels)
    wipe = wipes(done.units[:2], done.units[0].clip.numbers[0])[0]
    assert (wipe.width, wipe.height) == (48, 32)
    assert picture(wipe.left).shape == (32, 48, 3)
