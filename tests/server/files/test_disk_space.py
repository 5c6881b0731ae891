import shutil

import numpy as np
import pytest
from videomama_client.errors import NotPermitted
from videomama_server.files import disk_space
from videomama_server.files.disk_space import Need
from videomama_server.media.frames import write_picture

FORMATS = [(".exr", "float"), (".exr", "half"), (".png", "uint16"), (".tif", "float"), (".dpx", "uint16")]


@pytest.mark.parametrize(("suffix", "dtype"), FORMATS)
@pytest.mark.parametrize("size", [(96, 54), (2048, 300), (16384, 8)])
def test_no_alpha_is_smaller_than_the_least(tmp_path, suffix, dtype, size):
    path = tmp_path / f"blank{suffix}"
    write_picture(path, np.zeros((size[1], size[0]), np.float32), ("A" if suffix == ".exr" else "Y",), dtype)
    assert path.stat().st_size >= disk_space.needed(suffix, dtype, size, 1).least > 0


@pytest.mark.parametrize(("suffix", "dtype"), FORMATS)
def test_an_alpha_with_soft_edges_is_not_larger_than_usual(tmp_path, suffix, dtype):
    y, x = np.mgrid[0:540, 0:960].astype(np.float32)
    soft = np.clip(8 - np.hypot(x - 480, y - 270) / 20, 0, 1).astype(np.float32)
    path = tmp_path / f"soft{suffix}"
    write_picture(path, soft, ("A" if suffix == ".exr" else "Y",), dtype)
    assert path.stat().st_size <= disk_space.needed(suffix, dtype, (960, 540), 1).usual + 8192  # DPX's header


def test_the_need_grows_with_the_count():
    assert disk_space.needed(".EXR", "float", (1920, 1080), 100).usual == 100 * 1920 * 1080 * 4 // 5
    assert disk_space.needed(".exr", "float", (1920, 1080), 0) == Need(0, 0)


def test_a_disk_that_is_too_full_for_certain_is_refused_with_folder_needed_and_free(tmp_path, raises_with_hint):
    with raises_with_hint(NotPermitted, tmp_path, "5.0 MB free", "at least 1.2 GB"):
        disk_space.judge(tmp_path, 5_000_000, Need(1_200_000_000, 2_000_000_000))


def test_a_disk_that_may_be_too_full_is_a_warning_and_one_with_space_is_none(tmp_path):
    said = disk_space.judge(tmp_path, 5_000_000, Need(1_000, 2_500_000_000))
    assert all(word in said for word in (str(tmp_path), "5.0 MB free", "may need 2.5 GB"))
    assert disk_space.judge(tmp_path, 5_000_000, Need(1_000, 5_000_000)) == ""


def test_a_disk_that_does_not_say_how_full_it_is_is_not_called_full(tmp_path, monkeypatch):
    assert disk_space.free(tmp_path / "none") is None
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, 0))
    assert disk_space.free(tmp_path) is None
