"""An installation beside a server of another version: both directions say which side to update, and it can be ended."""

import json
import subprocess
import sys

import pytest
from videomama_client import __version__, connection, launch, messages
from videomama_client.errors import ProtocolError

OTHER = """
import sys
import videomama_client
videomama_client.__version__ = sys.argv.pop(1)
from videomama_client import messages
messages.PROTOCOL_VERSION = int(sys.argv.pop(1))
from videomama_server.cli import main
main()
"""


@pytest.fixture
def other_server(tmp_path, eventually):
    """Start a server of another version: `other_server("0.0.9", 1)` returns its connection file."""
    started = []

    def start(version: str, protocol: int):
        path = tmp_path / "other.json"
        words = ["serve", "--connection-file", path, "--cache-dir", tmp_path / "cache"]
        command = [sys.executable, "-c", OTHER, version, str(protocol), *map(str, words)]
        started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        eventually(lambda: path.exists() and connection.read(path).listening(), "the other server listens")
        return path

    start.processes = started
    yield start
    for process in started:
        process.terminate()
        process.wait(60)


AHEAD = [("0.0.9", -1, "Update the server"), ("9.0.0", 1, "Update the client; in Nuke that is the plug-in.")]


@pytest.mark.parametrize(("version", "ahead", "hint"), AHEAD, ids=["older server", "newer server"])
def test_another_protocol_names_both_versions_and_the_side_to_update(other_server, videomama, version, ahead, hint):
    path = other_server(version, messages.PROTOCOL_VERSION + ahead)
    with pytest.raises(ProtocolError) as caught:
        launch.connect(path)
    assert f"videomama-client {__version__}" in caught.value.message
    assert version in caught.value.message
    if ahead > 0:
        assert caught.value.hint == hint
    else:
        assert caught.value.hint.startswith(hint)
        assert "videomama stop" in caught.value.hint
    (line,) = (row for row in report(videomama, path) if row["name"] == "server")
    assert line["state"] == "problem"
    assert version in line["what"]
    assert line["fix"].startswith(hint[:17])


@pytest.mark.parametrize("ahead", [-1, 1])
def test_a_server_of_any_protocol_can_be_ended(other_server, videomama, ahead):
    path = other_server("0.0.9", messages.PROTOCOL_VERSION + ahead)
    said = videomama("stop", "--connection-file", path)
    assert (said.code, said.out) == (0, "Stopping the server.\n")
    assert other_server.processes[0].wait(60) == 0


@pytest.mark.parametrize(("version", "fix"), [("0.0.9", "The server is older"), ("9.0.0", "update it")])
def test_another_version_of_the_same_protocol_is_a_warning(other_server, videomama, version, fix):
    path = other_server(version, messages.PROTOCOL_VERSION)
    (line,) = (row for row in report(videomama, path) if row["name"] == "server")
    assert line["state"] == "warning"
    assert f"version {version}, and this is {__version__}" in line["what"]
    assert fix in line["fix"]


def report(videomama, path):
    return json.loads(videomama("doctor", "--json", "--connection-file", path).out)["lines"]
