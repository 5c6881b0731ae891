import shutil
from pathlib import Path

import numpy as np
import pytest
from videomama_client.errors import NotPermitted
from videomama_server.files import disk_space
from videomama_server.files.disk_space import Need, Share
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
        disk_space.check_space(tmp_path, 5_000_000, Need(1_200_000_000, 2_000_000_000))


def test_a_disk_that_may_be_too_full_is_a_warning_and_one_with_space_is_none(tmp_path):
    said = disk_space.check_space(tmp_path, 5_000_000, Need(1_000, 2_500_000_000))
    assert all(word in said for word in (str(tmp_path), "5.0 MB free", "may need 2.5 GB"))
    assert disk_space.check_space(tmp_path, 5_000_000, Need(1_000, 5_000_000)) == ""


def test_a_disk_that_does_not_say_how_full_it_is_is_not_called_full(tmp_path, monkeypatch):
    assert disk_space.free(tmp_path / "none") is None
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, 0))
    assert disk_space.free(tmp_path) is None


@pytest.fixture
def disks(monkeypatch):
    """Disks with this much free, by the folder that they are mounted at: `disks({"a": 5e9})`; None is not said."""

    def arrange(free):
        def of(folder):
            return max((name for name in free if Path(folder).is_relative_to(name)), key=len)

        def usage(folder):
            left = free[of(str(folder))]
            return shutil._ntuple_diskusage(0, 0, 0) if left is None else shutil._ntuple_diskusage(10**13, 0, int(left))

        monkeypatch.setattr(disk_space, "_device", lambda folder: of(str(folder)))
        monkeypatch.setattr(shutil, "disk_usage", usage)

    return arrange


def shares(first, second, sizes=(6_000_000_000, 2_800_000_000)):
    return [Share(first, sizes[0], "for the weights"), Share(second, sizes[1], "for the cache")]


def test_one_disk_has_to_hold_all_shares_and_folders_need_not_be_there(disks, tmp_path):
    disks({str(tmp_path): 9e9})
    disk_space.require(shares(tmp_path / "weights" / "deep", tmp_path / "cache"), "")
    disks({str(tmp_path): 8.8e9})
    with pytest.raises(NotPermitted) as caught:
        disk_space.require(shares(tmp_path / "weights", tmp_path / "cache"), "choose another.")
    assert caught.value.message == (
        f"the disk of {tmp_path} has 8.8 GB free, and 8.8 GB are needed (6.0 GB for the weights and 2.8 GB for the "
        "cache); nothing was written"
    )
    assert caught.value.hint == "Free some space, or choose another."


@pytest.mark.parametrize(
    ("weights", "cache", "short"), [(5e9, 9e9, "a"), (9e9, 1e9, "b"), (9e9, 9e9, ""), (None, 9e9, ""), (None, 1e9, "b")]
)
def test_two_disks_each_have_to_hold_their_own(disks, tmp_path, weights, cache, short):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    disks({str(tmp_path / "a"): weights, str(tmp_path / "b"): cache})
    asked = shares(tmp_path / "a" / "x", tmp_path / "b" / "x")
    if not short:
        disk_space.require(asked, "")
        return
    with pytest.raises(NotPermitted, match=str(tmp_path / short)):
        disk_space.require(asked, "")


def test_nothing_needs_no_space(disks, tmp_path):
    disks({str(tmp_path): 0})
    disk_space.require(shares(tmp_path, tmp_path, (0, 0)), "")


def test_the_nearest_folder_is_the_closest_one_that_is_there(tmp_path):
    file = tmp_path / "file"
    file.touch()
    assert disk_space.nearest(tmp_path) == tmp_path
    assert disk_space.nearest(tmp_path / "none" / "below") == tmp_path
    assert disk_space.nearest(file / "below") == tmp_path


def test_folders_of_one_disk_are_one(tmp_path):
    assert disk_space._device(tmp_path) == tmp_path.parent.stat().st_dev


def test_the_least_is_what_deflate_can_do_and_the_usual_a_fifth():
    assert disk_space.needed(".exr", "half", (516, 1), 1) == Need(1, 1032 // 5)
    assert disk_space.needed(".exr", "half", (515, 1), 1).least == 0
    assert disk_space.needed(".tif", "float", (10, 3), 2) == Need(0, 48)
    assert disk_space.needed(".DPX", "uint16", (10, 3), 2) == Need(120, 120)


def test_sixty_four_megabytes_are_left_free(disks, tmp_path):
    disks({str(tmp_path): 1_000_000 + 64_000_000})
    disk_space.require([Share(tmp_path, 1_000_000, "for the cache")], "")
    disks({str(tmp_path): 1_000_000 + 63_999_999})
    with pytest.raises(NotPermitted, match=r"1\.0 MB are needed \(for the cache\); nothing"):
        disk_space.require([Share(tmp_path, 1_000_000, "for the cache")], "")


def test_what_is_just_enough_is_enough(tmp_path):
    assert disk_space.check_space(tmp_path, 1_000, Need(1_000, 2_000)) == (
        f"{tmp_path} has 1.0 kB free, and the job may need 2.0 kB there"
    )
    with pytest.raises(NotPermitted, match=r"999\.0 MB free, and the job needs at least 1\.0 GB there"):
        disk_space.check_space(tmp_path, 999_000_000, Need(1_000_000_000, 1_000_000_000))
    with pytest.raises(NotPermitted, match=r"999\.0 kB free, and the job needs at least 1\.0 MB there"):
        disk_space.check_space(tmp_path, 999_000, Need(1_000_000, 1_000_000))


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(disk_space.needed) == {"channels": 1}
