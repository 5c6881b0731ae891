"""The plate that distances are given for is the one that people are told of."""

from pathlib import Path

from videomama_server.arrays import REFERENCE_SIDE

PAGES = Path(__file__).parents[2] / "docs"


def test_distances_are_for_the_width_that_the_documents_name():
    assert f"pixels (at {REFERENCE_SIDE})" in (PAGES / "qc.md").read_text(encoding="utf-8")
