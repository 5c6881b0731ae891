"""The connection file and the server behind it."""

import os
from dataclasses import replace

import pytest
from videomama_client import connection
from videomama_client.connection import Connection
from videomama_server.doctor import serving


def by_name(path):
    return {line.name: line for line in serving.examine(path)}


def test_no_server(tmp_path):
    lines = by_name(tmp_path / "deep" / "connection.json")
    assert {line.state for line in lines.values()} == {"ok"}
    assert "started when it is needed" in lines["server"].what
    assert not list(tmp_path.iterdir())
    assert not serving.listens(tmp_path / "deep" / "connection.json")


def test_a_place_that_cannot_be_written(small_disk, make_read_only):
    disk = small_disk(64)
    make_read_only(disk)
    line = by_name(disk / "deep" / "connection.json")["connection file"]
    assert (line.state, str(disk) in line.what) == ("problem", True)
    assert "VIDEOMAMA_CONNECTION_FILE" in line.fix


def test_a_server_that_is_well(server):
    lines = by_name(server.connection_file)
    assert [line.state for line in lines.values()] == ["ok", "ok"]
    assert "mode 0600" in lines["connection file"].what
    assert "It answers, version" in lines["server"].what
    assert serving.listens(server.connection_file)


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_a_file_that_others_can_read(start_server, mode):
    server = start_server()
    server.connection_file.chmod(mode)
    line = by_name(server.connection_file)["connection file"]
    assert line.state == "warning"
    assert f"mode {mode:04o}" in line.what
    assert "videomama stop" in line.fix


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only the superuser gives files away")
def test_a_file_of_another_user(start_server):
    server = start_server()
    os.chown(server.connection_file, 12345, -1)
    assert "belongs to another user" in by_name(server.connection_file)["connection file"].what


def test_a_file_that_makes_no_sense(tmp_path):
    path = tmp_path / "connection.json"
    path.write_text("{")
    lines = by_name(path)
    assert (lines["connection file"].state, lines["server"].state) == ("warning", "ok")


def test_a_server_that_is_gone(tmp_path):
    public, secret = connection.new_keys()
    path = tmp_path / "connection.json"
    connection.write(path, Connection("tcp://127.0.0.1:1", public, public, secret, 4242, "0.1.0"))
    line = by_name(path)["server"]
    assert (line.state, "is gone (pid 4242)" in line.what) == ("ok", True)


def test_a_server_with_other_keys_does_not_answer(server, tmp_path):
    public, secret = connection.new_keys()
    known = connection.read(server.connection_file)
    path = tmp_path / "connection.json"
    connection.write(path, replace(known, client_public=public, client_secret=secret))
    line = by_name(path)["server"]
    assert line.state == "problem"
    assert "does not answer" in line.what
    assert f"process {known.pid}" in line.fix


def test_an_engine_process_that_died_is_told(start_server, eventually):
    import psutil

    server = start_server()
    psutil.Process(server.status().worker_pid).kill()
    eventually(lambda: server.status().worker_restarts == 1, "the server saw it")
    line = by_name(server.connection_file)["engine process"]
    assert (line.state, "died 1 times" in line.what) == ("warning", True)


@pytest.mark.parametrize(
    ("theirs", "ours", "older"),
    [("0.9.5", "0.10.0", "The server is older"), ("0.10.0", "0.9.5", "This installation is older")],
)
def test_of_two_versions_the_older_one_is_to_be_replaced(monkeypatch, theirs, ours, older):
    monkeypatch.setattr(serving, "__version__", ours)
    line = serving._version(theirs)
    assert line.state == "warning"
    assert line.what == f"It answers, version {theirs}, and this is {ours}"
    assert line.fix.startswith(older)
    assert serving._version(ours).state == "ok"


@pytest.mark.parametrize(
    ("mode", "state"), [(0o600, "ok"), (0o700, "ok"), (0o610, "warning"), (0o601, "warning"), (0o640, "warning")]
)
@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")
def test_a_file_is_for_its_owner_alone(tmp_path, mode, state):
    path = tmp_path / "c.json"
    path.touch()
    path.chmod(mode)
    line = serving._mode(path)
    assert (line.state, f"mode {mode:04o}" in line.what) == (state, True)


def test_versions_are_compared_by_their_numbers_and_sentences_begin_large():
    assert serving._numbers("1.10.dev3.2") == [1, 10, 2]
    assert [serving._sentence(text) for text in ("", "a", "no Server")] == ["", "A", "No Server"]


def test_deaths_of_the_engine_process_are_told(server):
    status = server.status()
    assert serving._deaths(status) == []
    (line,) = serving._deaths(replace(status, worker_restarts=1))
    assert (line.state, line.what) == ("warning", "It died 1 times since the server started")
    assert status.log_file in line.fix
