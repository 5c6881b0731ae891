import os
import stat

import psutil
import pytest
from videomama_client import connection, private

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
OTHER_USER = 12345


@pytest.fixture
def loose_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_every_folder_that_is_made_is_for_this_user_alone_whatever_the_umask(tmp_path, loose_umask):
    private.make_folder(tmp_path / "a" / "b")
    assert [mode(tmp_path / name) for name in ("a", "a/b")] == [0o700, 0o700]


def test_a_folder_that_is_there_stays_as_it_is(tmp_path):
    tmp_path.chmod(0o755)
    private.make_folder(tmp_path)
    assert mode(tmp_path) == 0o755


def test_the_connection_file_is_private_under_a_loose_umask(tmp_path, unheard, loose_umask):
    path = tmp_path / "state" / "connection.json"
    connection.write(path, unheard)
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


def test_a_link_in_the_place_of_the_connection_file_is_replaced_and_not_followed(tmp_path, unheard):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    path = tmp_path / "connection.json"
    path.symlink_to(victim)
    connection.write(path, unheard)
    assert not path.is_symlink()
    assert victim.read_text() == "mine"


def test_a_new_log_is_private_and_no_link_is_followed(tmp_path, loose_umask):
    os.close(private.open_log(tmp_path / "new.log"))
    assert mode(tmp_path / "new.log") == 0o600
    (tmp_path / "link.log").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic links"):
        private.open_log(tmp_path / "link.log")
    assert not (tmp_path / "victim").exists()


def test_a_file_that_anyone_may_write_is_not_read(tmp_path):
    path = tmp_path / "connection.json"
    path.write_text("{}")
    path.chmod(0o602)
    with pytest.raises(PermissionError, match="any user may write"):
        private.read_text(path)


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only the superuser gives files away")
def test_what_another_user_put_where_anyone_may_is_not_read(tmp_path):
    path = tmp_path / "connection.json"
    path.write_text("{}")
    os.chown(path, OTHER_USER, -1)
    assert private.read_text(path) == "{}"  # in a folder of ours it was put by our leave
    tmp_path.chmod(0o1777)
    with pytest.raises(PermissionError, match="another user put it"):
        private.read_text(path)


def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "connection.json")
    with pytest.raises(OSError, match="not a regular file"):
        private.read_text(tmp_path / "connection.json")


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "connection.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match="more than"):
        private.read_text(path)


def test_a_file_of_other_text_than_utf_8_is_a_value_error_that_shows_nothing_of_it(tmp_path):
    path = tmp_path / "connection.json"
    path.write_bytes(b"secret \xff")
    path.chmod(0o600)
    with pytest.raises(ValueError, match=r"^it is not UTF-8$") as raised:
        private.read_text(path)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


def test_a_folder_in_the_place_of_the_file_is_not_read(tmp_path):
    with pytest.raises(OSError, match=r"not a regular file|Is a directory"):
        private.read_text(tmp_path)


def test_what_is_asked_for_again_and_again_and_cannot_be_read_keeps_no_descriptor(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    before = psutil.Process().num_fds()
    for path in (tmp_path, tmp_path / "pipe"):
        for _ in range(100):
            with pytest.raises(OSError, match=r"not a regular file|Is a directory"):
                private.read_text(path)
    assert psutil.Process().num_fds() < before + 50


def test_a_private_file_may_be_as_long_as_the_limit(tmp_path):
    assert private.LONGEST == 65536
    path = tmp_path / "c.json"
    path.write_bytes(b"x" * private.LONGEST)
    assert len(private.read_text(path)) == private.LONGEST
    path.write_bytes(b"x" * (private.LONGEST + 1))
    with pytest.raises(OSError, match="more than 65536 bytes"):
        private.read_text(path)


@pytest.mark.parametrize(("mode", "refused"), [(0o700, False), (0o770, False), (0o1777, False), (0o707, True)])
def test_a_folder_in_which_anybody_may_replace_files_is_refused(tmp_path, mode, refused):
    folder = tmp_path / "f"
    folder.mkdir()
    folder.chmod(mode)
    if not refused:
        private.check_folder(folder)
        return
    with pytest.raises(PermissionError, match=f"mode {mode:04o}"):
        private.check_folder(folder)


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only the superuser gives files away")
def test_what_the_superuser_put_where_anyone_may_is_read(tmp_path, monkeypatch):
    path = tmp_path / "connection.json"
    path.write_text("{}")
    tmp_path.chmod(0o1777)
    monkeypatch.setattr(os, "geteuid", lambda: OTHER_USER)
    assert private.read_text(path) == "{}"
    os.chown(path, 1, -1)
    with pytest.raises(PermissionError, match="another user put it"):
        private.read_text(path)


def test_a_folder_that_another_process_makes_meanwhile_is_taken(tmp_path, monkeypatch):
    folder = tmp_path / "state"
    folder.mkdir()
    exists = private.Path.exists
    monkeypatch.setattr(private.Path, "exists", lambda path: path != folder and exists(path))
    private.make_folder(folder)
    assert folder.is_dir()
