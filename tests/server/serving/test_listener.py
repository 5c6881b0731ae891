import asyncio
import os
import socket

import filelock
import pytest
import zmq
import zmq.asyncio
from videomama_client import connection
from videomama_client.channel import MAX_BULK_BYTES
from videomama_client.errors import NotPermitted, ServerUnreachable
from videomama_server.config import Config
from videomama_server.serving import listener
from videomama_server.serving.listener import AlreadyRunning, KeyHolders
from videomama_server.serving.server import serve
from zmq.auth.asyncio import AsyncioAuthenticator


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


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_folder_where_anyone_may_replace_the_connection_file_is_refused(config, tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(NotPermitted, match="any user may replace files"):
        serve(config(connection_file=tmp_path / "open" / "connection.json"))
    assert list((tmp_path / "open").iterdir()) == []


@pytest.mark.parametrize(
    ("guarded", "own_keys", "lets_in"),
    [(True, False, True), (True, True, False), (False, False, False)],
    ids=["with the keys of the file", "with other keys", "where no authenticator runs"],
)
def test_who_knocks_gets_in_with_the_keys_of_the_file_while_an_authenticator_runs(config, guarded, own_keys, lets_in):
    known = config()

    async def knock() -> bool:
        context = zmq.asyncio.Context()
        authenticator = AsyncioAuthenticator(context)
        server, client = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
        listener.open_up(server, authenticator, known)
        if not guarded:
            authenticator.stop()
        found = connection.read(known.connection_file)
        keys = connection.new_keys() if own_keys else (found.client_public, found.client_secret)
        client.curve_serverkey = found.server_public.encode()
        client.curve_publickey, client.curve_secretkey = (key.encode() for key in keys)
        client.connect(found.endpoint)
        await client.send(b"let me in")
        heard = await server.poll(20_000 if lets_in else 700)
        if guarded:
            authenticator.stop()
        context.destroy(linger=0)
        return bool(heard)

    assert asyncio.run(knock()) == lets_in


def test_only_the_client_key_of_the_file_lets_in():
    public, _ = connection.new_keys()
    guard = KeyHolders(public)
    assert guard.callback("global", public.encode())
    assert not guard.callback("global", connection.new_keys()[0].encode())
    assert not guard.callback("global", b"")


def test_a_socket_forgets_peers_that_say_nothing_or_whose_machine_is_gone():
    """Milliseconds that it waits for what is unsent and for a handshake; seconds after which it asks, and how often."""
    known = {
        zmq.LINGER: 200,
        zmq.RCVHWM: 100,
        zmq.SNDHWM: 10_000,
        zmq.HANDSHAKE_IVL: 10_000,
        zmq.TCP_KEEPALIVE: 1,
        zmq.TCP_KEEPALIVE_IDLE: 60,
        zmq.TCP_KEEPALIVE_INTVL: 15,
        zmq.TCP_KEEPALIVE_CNT: 4,
    }
    assert {name: value for name, value in listener._OPTIONS.items() if name != zmq.MAXMSGSIZE} == known
    assert listener._OPTIONS[zmq.MAXMSGSIZE] == MAX_BULK_BYTES
