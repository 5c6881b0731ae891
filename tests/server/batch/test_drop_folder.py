"""A drop folder: what is a shot in it, and that nothing is taken while it grows."""

import shutil

import pytest
from videomama_server.batch.drop_folder import DropFolder


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def drop(tmp_path):
    return DropFolder(tmp_path, 10.0, Clock())


def put(folder, *names, size=1):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x" * size)


def names(shots):
    return [one.name for one in shots]


def test_a_shot_is_taken_once_nothing_has_changed_for_a_while(drop, tmp_path):
    put(tmp_path / "sh1", "plate.1001.exr", "mask.1001.exr")
    assert drop.ready() == []
    drop.clock.now += 9
    put(tmp_path / "sh1", "plate.1002.exr")
    assert drop.ready() == []
    drop.clock.now += 9
    put(tmp_path / "sh1", "mask.1001.exr", size=2)  # grows
    assert drop.ready() == []
    drop.clock.now += 9
    assert drop.ready() == []
    drop.clock.now += 1
    (shot,) = drop.ready()
    assert (shot.name, shot.plate) == ("sh1", str(tmp_path / "sh1" / "plate.####.exr"))
    drop.clock.now += 100
    assert drop.ready() == []


def test_a_shot_that_changes_later_is_taken_again(drop, tmp_path):
    put(tmp_path / "sh1", "plate.1001.exr", "mask.1001.exr")
    for _ in range(2):
        drop.ready()
        drop.clock.now += 10
        assert names(drop.ready()) == ["sh1"]
        put(tmp_path / "sh1", "mask.1001.exr", size=5)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (("sh1/plate.1.exr", "sh1/mask.1.exr"), ["sh1"]),
        (("sh1/plate.1.exr", "sh1/roto.1.png"), ["sh1"]),
        (("sh1/sh1_v2.1001.dpx", "sh1/sh1_v2_matte.1001.exr"), ["sh1_v2"]),
        (("a_plate.1.exr", "a_mask.1.exr", "b_plate.1.exr", "b_mask.1.exr", "c_plate.1.exr"), ["a", "b"]),
        (("sh1/plate.1.exr",), []),
        (("sh1/mask.1.exr",), []),
        (("sh1/plate.1.exr", "sh1/mask.1.exr", "sh1/roto.1.exr"), []),
        (("sh1/plate.1.exr", "sh1/other.1.exr"), []),
        (("sh1/plate.1.exr", "sh1/mask.1.exr", "sh1/notes.txt"), ["sh1"]),
        (("sh1/.plate.1.exr", "sh1/mask.1.exr"), []),
        ((".hidden/plate.1.exr", ".hidden/mask.1.exr"), []),
        (("made/plate.1.exr", "made/mask.1.exr", "made/job.json"), []),
    ],
)
def test_plates_and_masks_are_told_by_their_names(drop, tmp_path, files, found):
    for file in files:
        put((tmp_path / file).parent, file.rpartition("/")[2])
    assert names(drop.shots()) == found


def test_a_folder_that_goes_away_is_no_error(drop, tmp_path):
    put(tmp_path / "sh1", "plate.1001.exr", "mask.1001.exr")
    drop.ready()
    shutil.rmtree(tmp_path / "sh1")
    drop.clock.now += 20
    assert drop.ready() == []
