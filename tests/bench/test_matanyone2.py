"""The script that runs a checkout of MatAnyone 2: here one that answers as its command line says, with the plate."""

import sys

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.datasets.layouts import read_data
from videomama_server.media import frames

# What its command line takes and leaves, and no more: alphas are the mask where the plate is bright.
FAKE = """
import argparse, os, pathlib, sys
import cv2
parser = argparse.ArgumentParser()
for name in ("-i", "-m", "-o"):
    parser.add_argument(name)
parser.add_argument("--save_image", action="store_true")
asked = parser.parse_args()
assert asked.save_image and os.path.isfile("inference_matanyone2.py")
plates = sorted(pathlib.Path(asked.i).iterdir())
mask = cv2.imread(asked.m, cv2.IMREAD_UNCHANGED)
assert mask.ndim == 2 and set(mask.ravel().tolist()) == {0, 255}
place = pathlib.Path(asked.o) / pathlib.Path(asked.i).name / "pha"
place.mkdir(parents=True)
for index, plate in enumerate(plates[: len(plates) - SHORT]):
    picture = cv2.imread(str(plate), cv2.IMREAD_UNCHANGED)
    assert picture.dtype == "uint8" and picture.shape[:2] == mask.shape
    cv2.imwrite(str(place / f"{index:04d}.png"), mask // (index + 1))
sys.exit(CODE)
"""


@pytest.fixture
def matanyone2(load_bench):
    return load_bench("matanyone2")


@pytest.fixture
def checkout(tmp_path):
    """Write a checkout: `checkout(code=0, short=0)`."""

    def write(code=0, short=0):
        folder = tmp_path / "MatAnyone2"
        folder.mkdir(exist_ok=True)
        text = FAKE.replace("CODE", str(code)).replace("SHORT", str(short))
        (folder / "inference_matanyone2.py").write_text(text)
        return folder

    return write


@pytest.fixture
def root(makers, tmp_path):
    return makers(tmp_path / "data").vhim(subjects=1)


def test_results_lie_as_evaluate_takes_them_and_are_not_made_again(matanyone2, checkout, root, tmp_path, monkeypatch):
    words = ["matanyone2.py", str(root), "--protocol", "v-him60-hard", "--checkout", str(checkout())]
    monkeypatch.setattr(sys, "argv", [*words, "--out", str(tmp_path / "results")])
    assert matanyone2.main() == 0
    (clip,) = read_data(root).clips
    found = sorted((tmp_path / "results" / clip.name).iterdir())
    assert [path.name for path in found] == ["alpha.0000.png", "alpha.0001.png", "alpha.0002.png"]
    first, second = (frames.read_mask(path).pixels[..., 0] for path in found[:2])
    np.testing.assert_array_equal(first, frames.read_mask(clip.mask[0]).pixels[..., 0])
    np.testing.assert_allclose(second, first * 127 / 255)
    checkout(code=3)
    assert matanyone2.main() == 0  # nothing is left to do


@pytest.mark.parametrize(
    ("how", "message"), [({"code": 3}, "failed on comp_hard/00012/00 with 3"), ({"short": 1}, "made 2 alphas of")]
)
def test_what_fails_says_so_and_leaves_no_result(matanyone2, checkout, root, tmp_path, how, message):
    (clip,) = read_data(root).clips
    with pytest.raises(BadInput, match=message):
        matanyone2.make(clip, checkout(**how), sys.executable, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_a_folder_that_is_no_checkout_and_a_python_that_is_not_there(matanyone2, checkout, root, tmp_path):
    (clip,) = read_data(root).clips
    with pytest.raises(BadInput, match="has no inference_matanyone2"):
        matanyone2.make(clip, tmp_path, sys.executable, tmp_path / "results")
    with pytest.raises(BadInput, match="cannot be run"):
        matanyone2.make(clip, checkout(), str(tmp_path / "python"), tmp_path / "results")
