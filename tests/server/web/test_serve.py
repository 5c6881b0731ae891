"""The page as a process: one for each connection file, on 127.0.0.1, with the same port after a restart."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import psutil
import pytest
from videomama_client.errors import BadInput
from videomama_server.web import serve, session
from videomama_server.web.state import State


@pytest.fixture
def run_page(home, tmp_path):
    """Start the page as a process of its own: `run_page()` returns the process, its address and its entry file."""
    started = []

    def run(*words):
        command = [sys.executable, "-m", "videomama_server", "web", "--no-browser", *words]
        command += ["--connection-file", str(tmp_path / "state" / "connection.json")]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "HOME": str(home)})
        started.append(process)
        said = [process.stderr.readline().strip() for _ in range(2)]
        if said[0].startswith("The page runs already"):
            said = [said[1], process.stderr.readline().strip()]
        return process, said[0], said[1].rpartition(": ")[2]

    yield run
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(60)
        process.stderr.close()


def ask(address, cookie=""):
    return httpx2.get(address, headers={"Cookie": cookie}, timeout=60).status_code


def code_in(entry):
    return re.search(r'value="([^"]+)"', Path(entry).read_text())[1]


def enter(address, entry):
    answer = httpx2.post(f"{address}/enter", data={"code": code_in(entry)}, headers={"Origin": "null"}, timeout=60)
    return answer.headers["set-cookie"].split(";")[0]


def end(process):
    process.send_signal(signal.SIGTERM)
    process.wait(60)


@pytest.mark.slow
def test_the_session_and_the_port_survive_a_restart(run_page):
    process, address, entry = run_page()
    cookie = enter(address, entry)
    assert ask(f"{address}/jobs") == 401
    assert ask(f"{address}/jobs", cookie) == 200
    end(process)
    again, same, _ = run_page()
    assert same == address
    assert ask(f"{address}/jobs", cookie) == 200
    assert again.poll() is None


@pytest.mark.slow
def test_a_second_one_opens_the_first_and_ends(run_page):
    first, address, entry = run_page()
    second, same, other = run_page()
    assert second.wait(60) == 0
    assert (same, first.poll()) == (address, None)
    assert enter(address, other) != enter(address, entry)


@pytest.mark.slow
def test_it_listens_on_this_machine_alone_and_no_code_is_on_its_command_line(run_page):
    process, address, entry = run_page()
    code = code_in(entry)
    running = psutil.Process(process.pid)
    places = {one.laddr.ip for one in running.net_connections("inet") if one.status == psutil.CONN_LISTEN}
    assert places == {"127.0.0.1"}
    assert code not in " ".join(running.cmdline()) + " ".join(running.environ().values()) + address + entry


def test_a_port_that_is_taken_is_an_error(site):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BadInput):
            serve._listening(taken.getsockname()[1], site.state)


def test_the_last_port_is_taken_again_and_else_a_free_one(site):
    with serve._listening(None, site.state) as first:
        port = first.getsockname()[1]
    site.state.set_port(port)
    with serve._listening(None, site.state) as again:
        assert again.getsockname()[1] == port
        again.listen()
        with serve._listening(None, site.state) as other:
            assert other.getsockname()[1] != port


def test_a_page_that_runs_at_another_port_is_named(site):
    site.state.set_port(8600)
    with pytest.raises(BadInput, match="8600"):
        serve._open_running(serve.Asked(site.connection_file, port=8601), site.state, print)


def test_the_browser_is_given_a_file_and_no_code(site, monkeypatch):
    opened = []
    monkeypatch.setattr(serve.webbrowser, "open", lambda address: opened.append(address) or True)
    said = []
    serve._open(serve.Asked(site.connection_file), site.address, site.state, said.append)
    (entry,) = site.state.entries.iterdir()
    assert opened == [entry.as_uri()]
    assert said == [site.address]
    assert session.ENTRY_S == 600
    assert State.beside(site.connection_file) == site.state


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(serve.Asked) == {"browser": True}
