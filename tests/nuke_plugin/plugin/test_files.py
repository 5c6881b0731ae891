"""Tests for what the plug-in knows of the files upstream."""

import pytest


@pytest.mark.parametrize("target", ["nowhere.exr", "plate.1001.exr"], ids=["a link to nowhere", "a link to itself"])
def test_one_frame_that_cannot_be_looked_at_hides_no_other(nuke, tmp_path, target):
    from videomama_nuke import files

    for frame in range(1000, 1010):
        (tmp_path / f"plate.{frame}.exr").write_bytes(b"a picture")
    (tmp_path / "plate.1001.exr").unlink()
    (tmp_path / "plate.1001.exr").symlink_to(tmp_path / target)
    found = {frame for frame, _ in files._stats(str(tmp_path / "plate.%04d.exr"))}
    assert found == set(range(1000, 1010)) - {1001}
