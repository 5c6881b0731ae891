import errno
import hashlib
from pathlib import Path

import pytest
from videomama_client.errors import BadInput, NotPermitted
from videomama_client.whole_files import mark
from videomama_server.cache import spool


def digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def test_a_spool_lies_beside_the_cache_for_this_user_alone(tmp_path):
    folder = spool.make(tmp_path / "cache")
    assert (tmp_path / "cache" / "spool").stat().st_mode & 0o777 == 0o700
    assert str(tmp_path) in folder
    spool.remove(folder)
    assert list((tmp_path / "cache" / "spool").iterdir()) == []
    spool.remove(folder)
    spool.remove("")


def test_a_spool_goes_where_temporary_files_go_when_the_cache_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(spool.tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "file").write_text("in the way")
    folder = Path(spool.make(tmp_path / "file"))
    assert folder.parent == tmp_path / "temporary"
    assert folder.is_dir()
    assert folder.stat().st_mode & 0o777 == 0o700
    spool.remove(str(folder))
    assert not folder.exists()


def test_a_spool_goes_where_temporary_files_go_when_the_cache_is_of_a_newer_format(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(spool.tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "format.txt").write_text("7\n")
    assert Path(spool.make(tmp_path / "cache")).parent == tmp_path / "temporary"
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["format.txt"]


def test_a_full_cache_disk_is_no_reason_to_fill_another(tmp_path, monkeypatch):
    def full(*arguments, **named):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(spool.tempfile, "mkdtemp", full)
    with pytest.raises(NotPermitted, match="No space left") as caught:
        spool.make(tmp_path)
    assert "Free some space" in caught.value.hint


def test_bytes_are_kept_when_they_are_those_announced(tmp_path):
    path = tmp_path / "plate.1001.exr"
    with pytest.raises(BadInput, match=r"plate\.1001\.exr changed"):
        spool.keep(path, b"bytes", "0" * 32)
    assert not path.exists()
    spool.keep(path, b"bytes", hashlib.blake2b(b"bytes", digest_size=16).hexdigest())
    assert path.read_bytes() == b"bytes"


def test_announced_bytes_are_kept_and_a_second_copy_takes_their_place(tmp_path):
    path = spool.pattern(tmp_path, "plate", "/client/plate.%04d.exr").path(1001)
    for _ in range(2):
        spool.keep(path, b"pixels", digest(b"pixels"))
    assert path.name == "plate.1001.exr"
    assert path.read_bytes() == b"pixels"
    assert list(tmp_path.iterdir()) == [path]


def test_a_spool_tells_whose_it_is_and_a_new_cache_folder_is_this_users_only(tmp_path):
    folder = Path(spool.make(tmp_path / "new" / "cache"))
    assert folder.name.startswith(mark())
    assert (tmp_path / "new" / "cache").stat().st_mode & 0o777 == 0o700
