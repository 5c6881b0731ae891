"""One label: it appears whole or not at all, whatever an earlier run left."""

import pytest
from videomama_client import launch
from videomama_client.errors import VideoMaMaError
from videomama_server.label.make import LabelMaker
from videomama_server.label.records import LabelRecord, load


@pytest.fixture
def made(server, plan_of, data, tmp_path):
    """Make the label of a plain shot: `made()` returns its record."""
    plan = plan_of(data.plain(tmp_path / "set"))

    def make():
        begun = LabelRecord("shot_object", "shot", "object", "plain", "CC0", [], "f", [], 0, plan.chain.plain())
        with launch.connect(server.connection_file, start=False) as client:
            return LabelMaker(plan, client, lambda _: None).make(plan.clips["shot"](), begun)

    return make


def test_what_an_earlier_run_left_unfinished_is_made_again(made, tmp_path):
    left = tmp_path / "out" / "work" / "shot_object" / "plate"
    left.mkdir(parents=True)
    (left / "plate.0900.png").write_bytes(b"half a picture")
    record = made()
    folder = tmp_path / "out" / "labels" / "shot_object"
    assert load(folder) == record
    assert sorted(path.name for path in folder.iterdir()) == ["label.json", "mask", "plate", "review.png", "truth"]
    assert sorted(path.name for path in (folder / "plate").iterdir()) == [
        f"plate.{number}.png" for number in range(1001, 1005)
    ]
    assert list((tmp_path / "out" / "work").iterdir()) == []


def test_a_label_that_cannot_be_made_appears_nowhere(made, tmp_path):
    (tmp_path / "set" / "shot" / "plate" / "x.1002.png").write_bytes(b"no picture")
    with pytest.raises(VideoMaMaError, match="frame 1002"):
        made()
    assert not (tmp_path / "out" / "labels").exists()
    assert not (tmp_path / "out" / "rejected").exists()


def test_made_again_its_frames_come_from_the_cache(made):
    made()
    again = made()
    assert (again.computed, again.cached) == (0, 4)
