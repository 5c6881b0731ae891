import errno
import os
import shutil
import stat
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from videomama_server.files import file_copies

CONTENT = bytes(range(256)) * 16384  # 4 MiB


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    path.chmod(0o600)
    os.utime(path, (1000, 1000))
    return path


def fail(*codes):
    """Return a function of the system that always fails."""

    def failing(*_, **__):
        raise OSError(codes[0], os.strerror(codes[0]))

    return failing


def in_child(umask, source, target):
    """Copy in a process with another umask."""
    code = "import os, sys; from pathlib import Path; from videomama_server.files import file_copies\n"
    code += f"os.umask({umask}); file_copies.copy(Path(sys.argv[1]), Path(sys.argv[2]))"
    subprocess.run([sys.executable, "-c", code, str(source), str(target)], check=True)


def test_a_copy_is_a_file_of_its_own_of_now_with_the_same_bytes(source, tmp_path):
    target = tmp_path / "target"
    before = time.time() - 0.1
    file_copies.copy(source, target)
    assert target.read_bytes() == CONTENT
    assert not target.samefile(source)
    assert target.stat().st_mtime >= before
    assert file_copies.is_own_copy(target, source)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600), (0, 0o666)])
def test_a_copy_has_the_mode_of_any_new_file_and_not_the_sources(source, tmp_path, umask, mode):
    in_child(umask, source, tmp_path / "target")
    assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == mode


def test_an_empty_file_is_copied(tmp_path):
    (tmp_path / "empty").touch()
    file_copies.copy(tmp_path / "empty", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b""


@pytest.mark.skipif(sys.platform != "linux", reason="copy_file_range is Linux's")
@pytest.mark.parametrize("code", [errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EPERM, errno.EIO])
def test_where_the_kernel_does_not_copy_this_process_does(source, tmp_path, monkeypatch, code):
    monkeypatch.setattr(file_copies, "clone", lambda *_: False)
    monkeypatch.setattr(os, "copy_file_range", fail(code))
    file_copies.copy(source, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == CONTENT


@pytest.mark.skipif(sys.platform != "linux", reason="copy_file_range is Linux's")
def test_a_kernel_that_ends_early_without_a_word_is_not_believed(source, tmp_path, monkeypatch):
    real, calls = os.copy_file_range, []

    def short(wanted, made, size):
        calls.append(size)
        return real(wanted, made, 1000) if len(calls) == 1 else 0

    monkeypatch.setattr(file_copies, "clone", lambda *_: False)
    monkeypatch.setattr(os, "copy_file_range", short)
    file_copies.copy(source, tmp_path / "target")
    assert len(calls) == 2
    assert (tmp_path / "target").read_bytes() == CONTENT


def test_a_disk_without_reflinks_clones_nothing(source, small_disk):
    disk = small_disk(8192)
    assert not file_copies.can_clone(disk, disk)
    assert list(disk.iterdir()) == []
    file_copies.copy(source, disk / "target")
    assert (disk / "target").read_bytes() == CONTENT


def test_a_source_that_is_gone_is_said_to_be(tmp_path):
    with pytest.raises(FileNotFoundError):
        file_copies.copy(tmp_path / "none", tmp_path / "target")


def test_a_clone_shares_blocks_until_one_is_written_to(source, reflink_disk):
    inside, target = reflink_disk / "inside", reflink_disk / "target"
    inside.write_bytes(CONTENT)
    inside.chmod(0o600)
    os.utime(inside, (1000, 1000))
    os.sync()
    before = shutil.disk_usage(reflink_disk).free
    for number in range(8):
        assert file_copies.clone(inside, target.with_name(f"target{number}"))
    os.sync()
    assert before - shutil.disk_usage(reflink_disk).free < len(CONTENT) / 2
    target = reflink_disk / "target0"
    assert target.read_bytes() == CONTENT
    (reflink_disk / "new").touch()
    assert target.stat().st_mode == (reflink_disk / "new").stat().st_mode
    assert target.stat().st_mtime > 1000
    with target.open("r+b") as file:
        file.write(b"\0" * 5000)
    assert inside.read_bytes() == (reflink_disk / "target1").read_bytes() == CONTENT


@pytest.mark.skipif(not shutil.which("filefrag"), reason="filefrag is not here")
def test_a_clones_extents_are_said_to_be_shared(reflink_disk):
    (reflink_disk / "source").write_bytes(CONTENT)
    assert file_copies.clone(reflink_disk / "source", reflink_disk / "target")
    os.sync()
    said = subprocess.run(["filefrag", "-v", str(reflink_disk / "target")], capture_output=True, text=True, check=True)
    assert "shared" in said.stdout


def test_whether_folders_can_clone_is_found_out_and_leaves_nothing(reflink_disk, tmp_path):
    for name in ("a", "b"):
        (reflink_disk / name).mkdir()
    assert file_copies.can_clone(reflink_disk / "a", reflink_disk / "b")
    assert not file_copies.can_clone(reflink_disk / "a", tmp_path)
    assert not file_copies.can_clone(reflink_disk / "none", reflink_disk / "b")
    assert list((reflink_disk / "a").iterdir()) == list((reflink_disk / "b").iterdir()) == []


def damage(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: damage(path, 0),
        lambda path: damage(path, -1),
        lambda path: path.write_bytes(CONTENT + b"\0"),
        lambda path: path.write_bytes(CONTENT[:-1]),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
    ],
    ids=["first byte", "last byte", "longer", "shorter", "empty", "gone"],
)
def test_what_was_changed_is_no_copy_whatever_its_date(source, tmp_path, harm):
    target = tmp_path / "target"
    file_copies.copy(source, target)
    before = target.stat()
    harm(target)
    if target.exists():
        os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not file_copies.is_own_copy(target, source)


def test_a_link_of_either_kind_is_no_copy_of_its_own(source, tmp_path):
    copy = tmp_path / "copy"
    file_copies.copy(source, copy)
    (tmp_path / "symbolic").symlink_to(copy)
    assert not file_copies.is_own_copy(tmp_path / "symbolic", source)
    os.link(copy, tmp_path / "hard")
    assert not file_copies.is_own_copy(copy, source)
    (tmp_path / "hard").unlink()
    assert file_copies.is_own_copy(copy, source)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_in_a_files_place_is_no_copy_and_not_waited_for(source, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert not file_copies.is_own_copy(tmp_path / "pipe", source)


def macos(monkeypatch, code):
    """Lend this machine the clone of macOS, which returns a code; gives what it was asked for."""
    asked = []

    def clonefile(source, target, flags):
        asked.append((source, target, flags))
        if not code:
            shutil.copy2(os.fsdecode(source), os.fsdecode(target))
        return code

    monkeypatch.setattr(file_copies.ctypes, "CDLL", lambda _: SimpleNamespace(clonefile=clonefile))
    return asked


def test_a_clone_of_macos_has_the_mode_and_time_of_a_new_file(source, tmp_path, monkeypatch):
    asked, target = macos(monkeypatch, 0), tmp_path / "target"
    (tmp_path / "new").touch()
    assert file_copies._cloned_on_macos(source, target)
    assert asked == [(os.fsencode(source), os.fsencode(target), 1)]
    assert target.read_bytes() == CONTENT
    assert target.stat().st_mode == (tmp_path / "new").stat().st_mode
    assert target.stat().st_mtime > time.time() - 3600


def test_where_macos_cannot_clone_nothing_is_there_afterwards(source, tmp_path, monkeypatch):
    macos(monkeypatch, -1)
    assert not file_copies._cloned_on_macos(source, tmp_path / "target")
    assert not (tmp_path / "target").exists()
    monkeypatch.setattr(file_copies.ctypes, "CDLL", lambda _: SimpleNamespace())
    assert not file_copies._cloned_on_macos(source, tmp_path / "target")
