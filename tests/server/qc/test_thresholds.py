"""Limits that depend on a clip, and the page that has those that do not."""

import math
import re
from dataclasses import asdict
from pathlib import Path

import pytest
from videomama_server.qc import scores, sights
from videomama_server.qc.thresholds import THRESHOLDS, number, unusual, usually

PAGE = Path(__file__).parents[3] / "docs" / "qc.md"


def test_every_threshold_is_on_the_page():
    said = {
        name: float(value) for value, name in re.findall(r"(\d[\d.]*)\s+\(`(\w+)`\)", PAGE.read_text(encoding="utf-8"))
    }
    assert said == asdict(THRESHOLDS)


def test_so_are_the_distances():
    text = PAGE.read_text(encoding="utf-8")
    assert f"further than {scores.REACH:g} pixels (at 1920) outside" in text
    assert f"further than {scores.DEPTH:g} pixels (at 1920) inside" in text
    assert f"measured at {sights.WORKING} pixels at most" in text


@pytest.mark.parametrize(
    ("values", "rise", "limit"),
    [
        ([0.2, 0.2, 0.2], 0.1, 0.3),  # a steady clip: the rise alone
        ([0.1, 0.2, 0.3], 0.1, 0.2 + 6 * 0.1),  # a scattered one: six times what is usual between frames
        ([0.1, None, 0.2, 0.3, None], 0.1, 0.2 + 6 * 0.1),
        ([0.1, 0.2, 0.3], 0.7, 0.9),
        ([None, None], 0.1, 0.1),
        ([], 0.1, 0.1),
    ],
)
def test_what_is_unusual_depends_on_the_clip(values, rise, limit):
    assert unusual(values, rise, 6.0) == pytest.approx(limit)


@pytest.mark.parametrize(("values", "usual"), [([3, 1, 2], 2), ([4, None, 1, 2, 3], 2.5), ([None], 0), ([], 0)])
def test_what_is_usual_is_the_median_of_the_scores_that_there_are(values, usual):
    assert usually(values) == usual


def test_a_score_that_is_not_there_is_below_every_limit():
    assert number(None) == -math.inf
    assert number(0.0) == 0
