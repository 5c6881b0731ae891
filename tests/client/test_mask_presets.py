"""What the names of a mask's quality stand for."""

from itertools import pairwise

import pytest
from videomama_client.engine_settings import MASK_QUALITIES, OutlineSettings
from videomama_client.mask_presets import PRESETS, ROUGH, Outline, is_open, outline_of, with_outline
from videomama_client.settings import MatteSettings


def test_every_quality_but_auto_has_numbers_that_can_be_set():
    assert ("auto", *PRESETS) == MASK_QUALITIES
    for outline in PRESETS.values():
        MatteSettings.of(engine="classic", **vars(outline)).check()


def test_a_better_mask_moves_less_and_has_no_wider_band():
    rows = [PRESETS[name] for name in MASK_QUALITIES[1:]]
    for better, worse in pairwise(rows):
        assert better.mask_slack < worse.mask_slack
        assert better.trimap_erode <= worse.trimap_erode
        assert better.trimap_dilate < worse.trimap_dilate


def test_a_number_that_is_given_wins_over_the_preset():
    settings = OutlineSettings(mask_quality="exact", trimap_dilate=0.0)
    preset = PRESETS["exact"]
    assert outline_of(settings) == Outline(preset.mask_slack, preset.trimap_erode, 0.0)


def test_before_anybody_looked_auto_is_rough():
    assert outline_of(OutlineSettings()) == PRESETS[ROUGH]


@pytest.mark.parametrize(
    ("settings", "open_"),
    [
        ({}, True),
        ({"mask_slack": 0.0}, True),
        ({"mask_slack": 0.0, "trimap_erode": 0.0, "trimap_dilate": 0.0}, False),
        ({"mask_quality": "good"}, False),
    ],
    ids=str,
)
def test_a_number_that_nothing_decides_is_left_to_the_plate(settings, open_):
    assert is_open(OutlineSettings(**settings)) == open_


def test_settings_with_the_same_numbers_are_the_same_whatever_they_were_called():
    named = with_outline(MatteSettings.of(mask_quality="good"), "good")
    numbers = with_outline(MatteSettings.of(**vars(PRESETS["good"])), "rough")
    assert named == numbers
    assert not is_open(OutlineSettings.of(named))
    assert with_outline(MatteSettings.of(mask_slack=7.0), "good").option("mask_slack") == 7.0
    assert with_outline(MatteSettings.of(quality="fast"), "good").option("quality") == "fast"
