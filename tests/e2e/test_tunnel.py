"""A server on another machine, as docs/remote.md sets it up: a forwarded port and a copied connection file."""

import json
import socket
import threading
from contextlib import closing

import pytest


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Copy bytes until one side ends."""
    try:
        while content := source.recv(65536):
            sink.sendall(content)
    except OSError:
        pass
    finally:
        for end in (source, sink):
            end.close()


@pytest.fixture
def forwarded(server, tmp_path):
    """The connection file of a machine whose port is forwarded to the server's, as `ssh -L` does."""
    content = json.loads(server.connection_file.read_text())
    port = int(content["endpoint"].rpartition(":")[2])
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def accept():
            while True:
                try:
                    here = listener.accept()[0]
                except OSError:
                    return
                there = socket.create_connection(("127.0.0.1", port))
                for ends in ((here, there), (there, here)):
                    threading.Thread(target=pump, args=ends, daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        path = tmp_path / "gpu.json"
        path.write_text(json.dumps({**content, "endpoint": f"tcp://127.0.0.1:{listener.getsockname()[1]}"}))
        path.chmod(0o600)
        yield path
        listener.shutdown(socket.SHUT_RDWR)


def test_a_job_goes_inline_through_a_forwarded_port(forwarded, videomama, make_clip):
    clip = make_clip(count=2)
    flags = clip.flags("--engine", "passthrough", "--transport", "inline", "--no-start", "--connection-file", forwarded)
    said = videomama(*flags)
    assert said.code == 0, said.err
    assert all(clip.alpha_file(number).is_file() for number in clip.numbers)
