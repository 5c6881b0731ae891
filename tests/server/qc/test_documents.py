"""The page on quality control has the thresholds that are used."""

import re
from dataclasses import asdict
from pathlib import Path

from videomama_server.qc import scores, sights
from videomama_server.qc.thresholds import THRESHOLDS

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
