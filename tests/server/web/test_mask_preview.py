"""The mask of one frame while a person clicks."""

import json

import cv2
import numpy as np
import pytest


@pytest.fixture
def preview(served, enter, run_fields):
    def ask(folder, prompts, **changes):
        fields = run_fields(folder, mask_source="prompts", maker="held", prompts=json.dumps(prompts), frame="1001")
        return enter(served).post("/run/mask-preview", data={**fields, **changes})

    return ask


def key(folder, name=""):
    return {"kind": "mask", "frame": 1001, "file": f"{folder}/mask.1001.exr", "object": name}


def test_the_mask_of_the_frame_comes_as_a_picture(preview, home_clip):
    folder = home_clip()
    answer = preview(folder, [key(folder)])
    assert answer.headers["content-type"] == "image/png"
    picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture.shape[:2] == (64, 96)
    assert picture[32, 48, 0] > 0
    assert picture[0, 0, 0] == 0


def test_only_the_object_at_hand_counts(preview, home_clip):
    folder = home_clip()
    assert preview(folder, [key(folder, "hero")], of_object="hero").status_code == 200
    assert preview(folder, [key(folder, "hero")], of_object="dog").status_code == 422


def test_without_weights_the_remedy_is_told(preview, home_clip):
    folder = home_clip()
    click = {"kind": "point", "frame": 1001, "place": [10.5, 10.5], "subject": True}
    answer = preview(folder, [click], maker="sam2")
    assert answer.status_code == 409
    assert "weights" in answer.text


def test_nothing_said_of_the_frame_is_an_error(preview, home_clip):
    folder = home_clip()
    assert preview(folder, [key(folder)], frame="1002").status_code == 422
