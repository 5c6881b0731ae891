import sqlite3
import stat
import sys
from types import SimpleNamespace

import psutil
import pytest
from videomama_server.serving.history import file


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "connection-host.history.sqlite"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def tables(connection):
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_only_its_user_can_read_the_history_and_its_journal(path):
    connection = file.opened(path)
    connection.execute("INSERT INTO jobs (job, state, record) VALUES ('j', 'done', '{}')")
    assert {mode(found) for found in path.parent.iterdir()} == {0o600}
    assert mode(path.parent) == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_in_the_place_of_the_history_is_not_followed(path, tmp_path):
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        file.opened(path)
    assert not (tmp_path / "elsewhere").exists()


def test_a_history_of_the_first_version_is_brought_to_this_one_with_its_jobs(path):
    path.parent.mkdir()
    old = sqlite3.connect(path, isolation_level=None)
    old.executescript(f"BEGIN; {file._STEPS[0]} PRAGMA user_version = 1; COMMIT;")
    old.execute("INSERT INTO jobs (job, state, record) VALUES ('j', 'done', '{}')")
    old.close()
    connection = file.opened(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (file.VERSION,)
    assert connection.execute("SELECT job FROM jobs").fetchall() == [("j",)]
    assert "lines" in tables(connection)
    assert "lines" in tables(file.opened(path))  # once more, without a step


def test_a_history_of_a_later_version_is_left_alone(path):
    file.opened(path).execute(f"PRAGMA user_version = {file.VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(file.NewerHistory, match="this server knows"):
        file.opened(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["no database", "a hole"])
def test_a_damaged_history_is_moved_aside_and_a_new_one_begun(path, damage):
    connection = file.opened(path)
    for number in range(500):
        connection.execute("INSERT INTO jobs (job, state, record) VALUES (?, 'done', ?)", (str(number), "x" * 200))
    connection.close()
    content = bytearray(path.read_bytes())
    content[:] = b"nothing" * 1000 if damage == "no database" else content[:9000] + b"\xff" * 9000 + content[18000:]
    path.write_bytes(content)
    fresh = file.opened(path)
    assert fresh.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
    assert path.with_name(f"{path.name}.damaged").read_bytes() == bytes(content)


def disks(*found):
    return lambda **_: [SimpleNamespace(mountpoint=mount, fstype=kind, opts=opts) for mount, kind, opts in found]


@pytest.mark.parametrize(
    ("kind", "opts", "local"),
    [
        ("ext4", "rw,relatime", True),
        ("NTFS", "rw,fixed", True),
        ("nfs4", "rw", False),
        ("cifs", "rw", False),
        ("fuse.sshfs", "rw", False),
        ("NTFS", "rw,remote", False),
        ("unheardof", "rw", False),
    ],
)
def test_wal_is_for_disks_that_are_surely_local(path, monkeypatch, kind, opts, local):
    path.parent.mkdir()
    monkeypatch.setattr(psutil, "disk_partitions", disks(("/", "ext4", "rw"), (str(path.parent.resolve()), kind, opts)))
    assert file.is_local(path.parent) is local
    (journal,) = file.opened(path).execute("PRAGMA journal_mode").fetchone()
    assert journal == ("wal" if local else "delete")


def test_a_folder_on_no_known_disk_is_not_taken_for_local(path, monkeypatch):
    monkeypatch.setattr(psutil, "disk_partitions", disks())
    assert not file.is_local(path)


def test_a_history_that_is_locked_is_left_where_it_is(path, monkeypatch):
    file.opened(path).close()
    before = path.read_bytes()

    def locked(*_, **__):
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(file, "_usable", locked)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        file.opened(path)
    assert [found.name for found in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == before


def test_where_disks_cannot_be_listed_none_is_taken_for_local(path, monkeypatch):
    def refuse(**_):
        raise OSError("no list of mounts")

    monkeypatch.setattr(psutil, "disk_partitions", refuse)
    assert file.is_local(path.parent) is False
