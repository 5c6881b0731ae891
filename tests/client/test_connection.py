import json
import socket
import stat
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from videomama_client import connection
from videomama_client.errors import ServerUnreachable

GARBAGE = {
    "empty": b"",
    "text": b"no json",
    "bytes": b"\xff\xfe\x00\x01",
    "list": b"[]",
    "number": b"7",
    "null": b"null",
    "nested": b"[" * 100_000,
    "no fields": b"{}",
    "cut": b'{"endpoint": "tcp://127.0.0.1:1", "server_pub',
}


def written(path: Path, known: connection.Connection, **changes: object) -> Path:
    path.write_text(json.dumps({**asdict(known), **changes}))
    return path


def test_what_was_written_is_read(tmp_path, unheard):
    path = tmp_path / "state" / "connection.json"
    connection.write(path, unheard)
    assert connection.read(path) == unheard


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_only_this_user_may_read_the_file(tmp_path, unheard):
    path = tmp_path / "state" / "connection.json"
    connection.write(path, unheard)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    connection.write(path, unheard)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_writing_leaves_nothing_else_behind(tmp_path, unheard):
    connection.write(tmp_path / "connection.json", unheard)
    assert [path.name for path in tmp_path.iterdir()] == ["connection.json"]


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path, unheard):
    (tmp_path / "connection.json" / "in the way").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        connection.write(tmp_path / "connection.json", unheard)
    assert [path.name for path in tmp_path.iterdir()] == ["connection.json"]


def test_no_file_means_no_server(tmp_path):
    with pytest.raises(ServerUnreachable, match="no server runs here") as caught:
        connection.read(tmp_path / "connection.json")
    assert "videomama serve" in caught.value.hint


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_means_no_server_and_names_the_file(tmp_path, content):
    path = tmp_path / "connection.json"
    path.write_bytes(content)
    with pytest.raises(ServerUnreachable, match=r"connection\.json") as caught:
        connection.read(path)
    assert caught.value.hint


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": None},
        {"endpoint": 5},
        {"endpoint": ["tcp://127.0.0.1:1"]},
        {"client_public": None},
        {"client_secret": ["key"]},
        {"pid": "one"},
    ],
    ids=str,
)
def test_fields_that_make_no_sense_mean_no_server(tmp_path, unheard, change):
    path = written(tmp_path / "connection.json", unheard, **change)
    with pytest.raises(ServerUnreachable, match=r"connection\.json"):
        connection.read(path)


def test_a_folder_in_place_of_the_file_means_no_server(tmp_path):
    with pytest.raises(ServerUnreachable):
        connection.read(tmp_path)


def test_fields_of_a_later_version_are_left_alone(tmp_path, unheard):
    assert connection.read(written(tmp_path / "connection.json", unheard, region="eu")) == unheard


@pytest.mark.parametrize(
    "endpoint",
    [
        "tcp://127.0.0.1:1",
        "tcp://127.0.0.1:99999999",
        "tcp://127.0.0.1:port",
        "tcp://[::1",
        "tcp://" + "a" * 100 + ":80",
        "127.0.0.1",
        "",
    ],
)
def test_nothing_listens_at_an_endpoint_that_is_dead_or_nonsense(unheard, endpoint):
    assert not replace(unheard, endpoint=endpoint).listening()


def test_a_listener_is_seen(unheard):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert replace(unheard, endpoint=f"tcp://127.0.0.1:{port}").listening()


def test_new_keys_are_z85_text_and_never_the_same():
    public, secret = connection.new_keys()
    assert len(public) == len(secret) == 40
    assert public != connection.new_keys()[0]


def test_the_file_is_named_by_the_environment_or_lies_in_the_state_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDEOMAMA_CONNECTION_FILE", str(tmp_path / "c.json"))
    assert connection.default_path() == tmp_path / "c.json"
    monkeypatch.delenv("VIDEOMAMA_CONNECTION_FILE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert connection.default_path() == tmp_path / "videomama" / f"connection-{socket.gethostname()}.json"


@pytest.mark.parametrize(("platform", "part"), [("darwin", "Application Support"), ("win32", "Local")])
def test_the_state_folder_is_where_the_platform_wants_it(tmp_path, monkeypatch, platform, part):
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "Local"))
    monkeypatch.setattr(sys, "platform", platform)
    assert part in connection.state_folder().parts


def test_what_is_wrong_with_a_file_is_said_without_its_keys(tmp_path, unheard):
    content = json.dumps(asdict(unheard)).encode()
    broken = {
        "not UTF-8": content + b"\xff",
        "cut": content[:-1],
        "extra": content + b"}",
        "type": b"[" + content + b"]",
    }
    for name, damaged in broken.items():
        path = tmp_path / name
        path.write_bytes(damaged)
        with pytest.raises(ServerUnreachable) as caught:
            connection.read(path)
        assert unheard.client_secret not in str(caught.value)
        assert unheard.client_public not in str(caught.value)


def test_a_connection_that_is_printed_does_not_show_its_secret(unheard):
    assert unheard.client_secret not in repr(unheard)
    assert unheard.endpoint in repr(unheard)
