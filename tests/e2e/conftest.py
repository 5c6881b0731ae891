"""What the end-to-end tests share: the real command line as a process, and ways to look into files."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import OpenImageIO as oiio
import psutil
import pytest
import zmq
from videomama_client import connection, wire
from videomama_client.messages import KINDS

# Ctrl-C must work also where the tests themselves run in the background, which ignores it.
_COMMAND = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from videomama_server.cli import main; main()"
)


class CommandLine:
    """A `videomama` process under way."""

    def __init__(self, words: list[str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def end(self, seconds: float = 30.0) -> tuple[int, str, str]:
        """Wait for its end; return exit code, output and errors."""
        out, err = self.process.communicate(timeout=seconds)
        return self.process.returncode, out, err


@pytest.fixture
def run_command():
    """Start the command as a process of its own: `run_command("status")`."""
    started: list[CommandLine] = []

    def run(*words: object) -> CommandLine:
        started.append(CommandLine([str(word) for word in words]))
        return started[-1]

    yield run
    for command in started:
        if command.process.poll() is None:
            command.process.kill()
        command.process.communicate()


@pytest.fixture
def refine_by_command(videomama):
    """Run `matte --json` against a server in this process and return its result."""

    def refine(server, clip, *more: str) -> dict[str, object]:
        said = videomama(*clip.flags("--json", "--connection-file", str(server.connection_file), *more))
        assert said.code == 0, said.err
        return json.loads(said.out)

    return refine


@pytest.fixture
def kill_worker():
    """Kill the engine worker of a server, as a crash does: `kill_worker(client)`."""

    def kill(client) -> None:
        pid = client.status().worker_pid
        assert pid is not None, "no worker runs"  # psutil would take None for this process
        psutil.Process(pid).kill()

    return kill


@pytest.fixture
def read_file():
    """Read a picture as it lies on disk: its channel names, pixel type and pixels (H, W, C) as floats."""

    def read(path: Path):
        source = oiio.ImageInput.open(str(path))
        assert source is not None, oiio.geterror()
        spec, pixels = source.spec(), source.read_image("float")
        source.close()
        return list(spec.channelnames), str(spec.format), pixels

    return read


@pytest.fixture
def forget():
    """Remove a clip's alphas, delivered and cached, as if they had never been computed."""

    def remove(server, clip) -> None:
        files = [clip.alpha_file(frame) for frame in clip.numbers]
        mine = {path.read_bytes() for path in files if path.exists()}  # each holds its entry's seal
        for entry in server.entries():
            if entry.read_bytes() in mine:
                entry.unlink()
        for frame in clip.numbers:
            clip.alpha_file(frame).unlink(missing_ok=True)

    return remove


class Peer:
    """A bare ZeroMQ socket, for what no client would send."""

    def __init__(self, server, authentic: bool = True) -> None:
        known = connection.read(server.connection_file)
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        if authentic:
            self.socket.curve_serverkey = known.server_public.encode()
            self.socket.curve_publickey = known.client_public.encode()
            self.socket.curve_secretkey = known.client_secret.encode()
        self.socket.connect(known.endpoint)

    def send(self, *parts: bytes) -> None:
        self.socket.send_multipart(parts)

    def answer(self, seconds: float = 10.0):
        """Return the next message, or None when none comes."""
        if not self.socket.poll(int(seconds * 1000)):
            return None
        return wire.decode(self.socket.recv_multipart()[0], KINDS)


@pytest.fixture
def make_peer():
    """Connect bare sockets: `make_peer(server)`."""
    made: list[Peer] = []

    def make(server, authentic: bool = True) -> Peer:
        made.append(Peer(server, authentic))
        return made[-1]

    yield make
    for peer in made:
        peer.context.destroy(linger=0)
