import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.media.frames import write_picture
from videomama_server.web.clip_files import Clip, ClipFiles
from videomama_server.web.clip_listing import listing


@pytest.fixture
def files():
    return ClipFiles(lambda path: path)


def write(folder, role, frames):
    for frame in frames:
        write_picture(folder / f"{role}.{frame}.exr", np.ones((32, 48, 3), np.float32))


def clip(folder, *roles):
    return Clip(**{role: str(folder / f"{role}.####.exr") for role in roles})


def test_frames_of_a_clip_are_those_of_its_alphas(tmp_path, files):
    write(tmp_path, "plate", range(1001, 1006))
    write(tmp_path, "alpha", (1002, 1003))
    found = listing(files, clip(tmp_path, "plate", "alpha"), "")
    assert found["frames"] == [1002, 1003]
    assert sorted(found["stamps"]["plate"]) == [1001, 1002, 1003, 1004, 1005]
    assert (found["width"], found["height"], found["colorspace"]) == (48, 32, "lin_rec709")
    assert found["names"] == {"plate": "plate.####.exr", "alpha": "alpha.####.exr"}


def test_while_a_job_runs_all_its_frames_are_there_and_new_alphas_appear(tmp_path, files):
    write(tmp_path, "plate", range(1001, 1004))
    own = clip(tmp_path, "plate", "alpha")
    before = listing(files, own, "1001-1003")
    write(tmp_path, "alpha", (1001,))
    after = listing(files, own, "1001-1003")
    assert before["frames"] == after["frames"] == [1001, 1002, 1003]
    assert "no " in before["said"]["alpha"]
    assert (list(after["stamps"]["alpha"]), after["said"]) == ([1001], {})


def test_a_file_that_was_written_again_has_another_stamp(tmp_path, files):
    write(tmp_path, "plate", (1,))
    own = Clip(plate=str(tmp_path / "plate.#.exr"))
    before = listing(files, own, "")["stamps"]["plate"][1]
    (tmp_path / "plate.1.exr").write_bytes(b"other")
    assert listing(files, own, "")["stamps"]["plate"][1] != before


def test_frames_that_nobody_can_read_are_listed_without_a_size(tmp_path, files):
    (tmp_path / "plate.1001.exr").write_bytes(b"no picture")
    found = listing(files, clip(tmp_path, "plate"), "")
    assert (found["frames"], found["width"], found["colorspace"]) == ([1001], 0, "")


def test_a_range_that_is_none_is_an_error(tmp_path, files):
    with pytest.raises(BadInput, match="frame range"):
        listing(files, clip(tmp_path, "plate"), "first to last")
