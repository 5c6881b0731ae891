"""Room on disks: together when both folders are on one, apart when not, asked of folders that are not there yet."""

import shutil
from pathlib import Path

import pytest
from videomama_client.errors import NotPermitted
from videomama_server.weights import disk_space


@pytest.fixture
def disks(monkeypatch):
    """Disks with so much free, by the folder that they are mounted at: `disks({"a": 5e9})`."""

    def arrange(free):
        def of(folder):
            return max((name for name in free if Path(folder).is_relative_to(name)), key=len)

        monkeypatch.setattr(disk_space, "_device", lambda folder: of(str(folder)))
        monkeypatch.setattr(
            disk_space.shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(0, 0, int(free[of(str(folder))]))
        )

    return arrange


def test_one_disk_has_to_hold_both(disks, tmp_path):
    disks({str(tmp_path): 9e9})
    disk_space.check(tmp_path / "weights" / "deep", 6_000_000_000, tmp_path / "cache", 2_800_000_000)
    disks({str(tmp_path): 8.8e9})
    with pytest.raises(NotPermitted) as caught:
        disk_space.check(tmp_path / "weights", 6_000_000_000, tmp_path / "cache", 2_800_000_000)
    assert caught.value.message == (
        f"the disk of {tmp_path} has 8.8 GB free, and 8.8 GB are needed (6.0 GB for the weights and 2.8 GB for what "
        "they are folded into at the first use); nothing was fetched"
    )


@pytest.mark.parametrize(("weights", "cache", "short"), [(5e9, 9e9, "a"), (9e9, 1e9, "b"), (9e9, 9e9, "")])
def test_two_disks_each_have_to_hold_their_own(disks, tmp_path, weights, cache, short):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    disks({str(tmp_path / "a"): weights, str(tmp_path / "b"): cache})
    where = (tmp_path / "a" / "x", 6_000_000_000, tmp_path / "b" / "x", 2_800_000_000)
    if not short:
        disk_space.check(*where)
        return
    with pytest.raises(NotPermitted, match=str(tmp_path / short)):
        disk_space.check(*where)


def test_nothing_needs_no_room(disks, tmp_path):
    disks({str(tmp_path): 0})
    disk_space.check(tmp_path, 0, tmp_path, 0)
