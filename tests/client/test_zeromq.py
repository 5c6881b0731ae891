"""Where ZeroMQ comes from. Nuke's own copy is stood in for by pyzmq itself under the other name."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest
import zmq
from videomama_client import zeromq

WITHOUT_PYZMQ = """
import sys, types, zmq
{change}
foundry = types.ModuleType("foundry")
sys.modules.update({{"foundry": foundry, "foundry.zmq": zmq, "zmq": None}})
"""
CONNECT = """
from videomama_client import channel, client, connection
sys.modules["zmq"] = zmq  # pyzmq looks itself up by that name; Nuke's copy has another
public, secret = connection.new_keys()
with client.Client(connection.Connection("tcp://127.0.0.1:1", public, public, secret, 1, "0")) as made:
    socket = made._channel._socket
    assert channel.zmq is zmq and socket.curve_server == 0 and socket.mechanism == zmq.CURVE
print("connected")
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def copy_of_zmq(**changes: object) -> types.ModuleType:
    """A module with the names of pyzmq, some of them changed; None takes one away."""
    copy = types.ModuleType("foundry.zmq")
    names = {**vars(zmq), **changes}
    vars(copy).update({name: value for name, value in names.items() if value is not None or name not in changes})
    return copy


def test_pyzmq_comes_first() -> None:
    assert zeromq.zmq is zmq


def test_nukes_own_copy_serves_the_client_without_pyzmq() -> None:
    said = run(WITHOUT_PYZMQ.format(change="") + CONNECT)
    assert said.stdout == "connected\n", said.stderr


def test_neither_names_the_way_out() -> None:
    said = run("import sys; sys.modules['zmq'] = None\nimport videomama_client.client")
    assert "ImportError: pyzmq cannot be imported" in said.stderr
    assert "python install nuke" in said.stderr


def test_a_copy_that_cannot_encrypt_is_not_used() -> None:
    said = run(WITHOUT_PYZMQ.format(change="zmq.has = lambda what: False") + "import videomama_client.connection")
    assert "Nuke's own copy lacks encryption (CURVE)" in said.stderr
    assert "python install nuke" in said.stderr


def test_a_whole_copy_lacks_nothing() -> None:
    assert zeromq._lacking(copy_of_zmq()) == []


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({"DEALER": None}, ["DEALER"]),
        ({"CURVE_SERVERKEY": None, "has": None}, ["CURVE_SERVERKEY", "encryption (CURVE)"]),
        ({"Socket": type("Socket", (), {})}, [f"Socket.{name}" for name in zeromq._OF_SOCKET]),
        ({"Context": None}, ["Context", "Context.destroy", "Context.socket"]),
    ],
)
def test_what_an_old_copy_lacks_is_named(changes: dict[str, object], lacking: list[str]) -> None:
    assert zeromq._lacking(copy_of_zmq(**changes)) == lacking


def test_the_error_is_an_import_error_of_zmq(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zmq", None)
    monkeypatch.setitem(sys.modules, "foundry", types.ModuleType("foundry"))
    monkeypatch.setitem(sys.modules, "foundry.zmq", types.ModuleType("foundry.zmq"))
    with pytest.raises(ImportError, match=r"lacks Context, DEALER") as caught:
        zeromq._load()
    assert caught.value.name == "zmq"
