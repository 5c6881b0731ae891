"""What a clip with masks refuses."""

from pathlib import Path

import pytest
from videomama_client.errors import BadInput
from videomama_server.datasets.annotated import AnnotatedClip

PLATE = {number: Path(f"{number}.png") for number in range(3)}


def test_masks_lie_on_frames_that_have_a_plate():
    clip = AnnotatedClip("clip", "plain", PLATE, {"dog": {0: list, 2: list}}, ())
    assert sorted(clip.objects["dog"]) == [0, 2]
    with pytest.raises(BadInput, match="clip has masks without plate on frames 3-4"):
        AnnotatedClip("clip", "plain", PLATE, {"dog": {0: list, 3: list, 4: list}}, ())


def test_a_clip_without_masks_is_refused():
    with pytest.raises(BadInput, match="clip has no masks"):
        AnnotatedClip("clip", "plain", PLATE, {}, ())
