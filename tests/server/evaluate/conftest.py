"""Miniature data sets for the tests of this room."""

import importlib.util
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "datasets"))  # for miniature.py

from miniature import clip, draw, make, makers  # noqa: F401 - fixtures


@pytest.fixture(scope="session")
def tiny_sam2(tmp_path_factory):
    """A folder of weights with a tiny SAM 2, and another one in the place of SAM2-Matte."""
    pytest.importorskip("transformers", reason="the extra segment is not installed")
    path = Path(__file__).parents[1] / "engines" / "segment" / "conftest.py"
    spec = importlib.util.spec_from_file_location("segment_networks", path)
    networks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(networks)
    folder = tmp_path_factory.mktemp("weights")
    for seed, name in enumerate(("sam2", "sam2matte")):
        networks.make_sam2(seed).save_pretrained(folder / name)
    return folder
