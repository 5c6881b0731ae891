import json
from pathlib import Path

import numpy as np
import pytest
import torch
from videomama_client.errors import WeightsError
from videomama_server.engines.base import EngineConfig
from videomama_server.engines.segment.detector import PersonDetector


def config_at(folder):
    return EngineConfig(weights=Path(folder), folded_dir=Path("folded"), device="cpu")


@pytest.fixture(scope="module")
def stored(tmp_path_factory, make):
    folder = tmp_path_factory.mktemp("weights")
    model = make.detector()
    model.save_pretrained(folder / "person")
    return model, folder


@pytest.fixture(scope="module")
def detector(stored):
    return PersonDetector(config_at(stored[1]))


def test_boxes_are_those_of_the_network_in_pixels_of_the_plate(stored, detector, clip):
    from torch.nn.functional import interpolate

    found = detector.boxes(clip[0], 0.0)
    picture = torch.from_numpy(clip[0]).permute(2, 0, 1)[None]
    seen = interpolate(picture, (640, 640), mode="bilinear", align_corners=False, antialias=True)
    with torch.inference_mode():
        theirs = stored[0](seen)
    scores = theirs.logits[0].sigmoid()[:, 1]
    assert len(found) == len(scores) == 5
    assert [box.score for box in found] == sorted(scores.tolist(), reverse=True)
    x, y, width, height = theirs.pred_boxes[0, int(scores.argmax())].tolist()
    expected = [(x - width / 2) * 80, (y - height / 2) * 48, (x + width / 2) * 80, (y + height / 2) * 48]
    best = found[0]
    rim = np.float32([80, 48, 80, 48])
    assert np.abs(np.clip(expected, 0, rim) - [best.left, best.top, best.right, best.bottom]).max() < 1e-3
    assert detector.boxes(clip[0], 1.1) == []


def test_its_method_names_the_network_and_its_type(detector):
    assert detector.method == "person (rt_detr_v2)"


def test_a_detector_that_does_not_know_people_is_refused(stored, tmp_path):
    folder = tmp_path / "person"
    folder.mkdir()
    config = json.loads((stored[1] / "person" / "config.json").read_text())
    config["id2label"] = {"0": "cat", "1": "dog", "2": "sofa"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").symlink_to(stored[1] / "person" / "model.safetensors")
    with pytest.raises(WeightsError, match="does not know people"):
        PersonDetector(config_at(tmp_path))


def test_without_weights_it_says_how_to_get_them(tmp_path):
    with pytest.raises(WeightsError, match="there is no network of a detector of the DETR family") as caught:
        PersonDetector(config_at(tmp_path))
    assert "--with person" in caught.value.hint
