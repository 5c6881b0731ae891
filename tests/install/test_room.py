"""Work for which a disk has no room is refused; room for a folder is that of its disk, whether it is there or not."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from failure import InstallError
from room import ensure_room

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize("below", ["", "new", "new/deep"])
def test_what_fits_to_the_byte_is_taken_and_one_more_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    asked: list[Path] = []

    def disk_usage(folder: Path) -> Usage:
        asked.append(folder)
        return Usage(9_000_000_000, 0, 2_500_000_000)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    ensure_room(tmp_path / below, 2_500_000_000, "the weights")
    with pytest.raises(InstallError) as caught:
        ensure_room(tmp_path / below, 2_500_000_001, "the weights")
    said = f"Too little space for the weights: 2.50 GB are needed in {tmp_path / below}, 2.50 GB are free."
    assert caught.value.message == said
    assert set(asked) == {tmp_path.resolve()}
    assert not (tmp_path / "new").exists()
