"""The server's own code where it needs no client; over its socket it is tested end to end."""

import errno
import hashlib
import socket

import filelock
import pytest
from videomama_client import connection
from videomama_client.errors import BadInput, NotPermitted, ServerUnreachable
from videomama_server import server, spool
from videomama_server.config import Config
from videomama_server.door import AlreadyRunning, KeyHolders
from videomama_server.server import serve


@pytest.fixture
def config(tmp_path):
    def make(**changes):
        return Config(**{"cache_dir": tmp_path / "cache", "connection_file": tmp_path / "connection.json", **changes})

    return make


def test_a_held_connection_file_is_another_servers(config, tmp_path):
    with filelock.FileLock(tmp_path / "connection.json.lock"), pytest.raises(AlreadyRunning, match="runs already"):
        serve(config())


def test_a_taken_port_is_reported_and_leaves_no_file(config, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerUnreachable, match=f"cannot listen at 127.0.0.1:{port}") as caught:
            serve(config(port=port))
    assert caught.value.hint
    assert not (tmp_path / "connection.json").exists()
    with filelock.FileLock(tmp_path / "connection.json.lock", timeout=0):
        pass  # let go of


@pytest.mark.parametrize("place", ["file/connection.json", "folder"])
def test_a_connection_file_that_cannot_be_written_is_reported(config, tmp_path, place):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder" / "in the way").mkdir(parents=True)
    with pytest.raises(NotPermitted, match=f"cannot write .*{place}") as caught:
        serve(config(connection_file=tmp_path / place))
    assert "--connection-file" in caught.value.hint


def test_only_the_client_key_of_the_file_lets_in():
    public, _ = connection.new_keys()
    guard = KeyHolders(public)
    assert guard.callback("global", public.encode())
    assert not guard.callback("global", connection.new_keys()[0].encode())
    assert not guard.callback("global", b"")


def test_the_memory_of_a_process_that_is_gone_is_not_known():
    assert server._memory(None) is None
    assert server._memory(2**22 + 1) is None


def test_a_spool_lies_beside_the_cache_for_this_user_alone(tmp_path):
    folder = spool.make(tmp_path / "cache")
    assert (tmp_path / "cache" / "spool").stat().st_mode & 0o777 == 0o700
    assert str(tmp_path) in folder
    spool.remove(folder)
    assert list((tmp_path / "cache" / "spool").iterdir()) == []
    spool.remove(folder)
    spool.remove("")


def test_a_spool_goes_where_temporary_files_go_when_the_cache_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    folder = spool.make(tmp_path / "file")
    assert str(tmp_path) not in folder or "videomama-spool-" in folder
    spool.remove(folder)


def test_a_full_cache_disk_is_no_reason_to_fill_another(tmp_path, monkeypatch):
    def full(*arguments, **named):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(spool.tempfile, "mkdtemp", full)
    with pytest.raises(OSError, match="No space left"):
        spool.make(tmp_path)


def test_bytes_are_kept_when_they_are_those_announced(tmp_path):
    path = tmp_path / "plate.1001.exr"
    with pytest.raises(BadInput, match=r"plate\.1001\.exr changed"):
        spool.keep(path, b"bytes", "0" * 32)
    assert not path.exists()
    spool.keep(path, b"bytes", hashlib.blake2b(b"bytes", digest_size=16).hexdigest())
    assert path.read_bytes() == b"bytes"
