"""`videomama serve`, `status`, `stop` and `unload`: what they print of a server that runs, or that there is none."""

import json
from dataclasses import fields

import psutil
import pytest
from videomama_client import connection
from videomama_client.job_records import JobState, Phase, Submitter
from videomama_client.messages import ConfigValue, LoadedEngine, StatusReported
from videomama_server.cli.serve import _shown


def test_status_as_text(videomama, server):
    said = videomama("status", "--connection-file", server.connection_file)
    assert said.code == 0
    assert f"pid  {server.process.pid}" in said.out
    assert str(server.cache_dir) in said.out
    assert "engine  -" in said.out


def test_status_as_json(videomama, server):
    said = videomama("status", "--json", "--connection-file", server.connection_file)
    status = json.loads(said.out)
    assert status.keys() == {field.name for field in fields(StatusReported)} - {"request"} | {"differs"}
    assert (status["config"]["cache_dir"], status["differs"]) == (str(server.cache_dir), {})
    assert status["pid"] == server.process.pid
    assert said.err == ""


@pytest.mark.parametrize("command", [["status"], ["status", "--json"], ["matte", "--no-start"]], ids=" ".join)
def test_no_server_is_one_message_that_says_how_to_start_one(videomama, make_clip, tmp_path, command):
    words = [*make_clip(count=1).flags(), "--no-start"] if command[0] == "matte" else command
    said = videomama(*words, "--connection-file", tmp_path / "none.json")
    assert said.code == 1
    if "--json" in command:
        assert json.loads(said.out)["code"] == "server-unreachable"
        return
    assert said.out == ""
    assert (
        said.err
        == f"Error: no server runs here (there is no {tmp_path / 'none.json'})\nStart one with `videomama serve`.\n"
    )


def test_there_is_nothing_to_stop_where_no_server_runs(videomama, tmp_path):
    said = videomama("stop", "--connection-file", tmp_path / "none.json")
    assert (said.code, said.out) == (1, "")
    assert (
        said.err == f"Error: no server runs here (there is no {tmp_path / 'none.json'})\nNothing has to be stopped.\n"
    )


def test_a_damaged_connection_file_does_not_mean_that_nothing_runs(videomama, tmp_path):
    (tmp_path / "c.json").write_text("{}")
    said = videomama("stop", "--connection-file", tmp_path / "c.json")
    assert said.code == 1
    assert "cannot be used" in said.err
    assert "Nothing has to be stopped" not in said.err


def test_garbage_in_the_connection_file_is_one_message(videomama, tmp_path):
    (tmp_path / "c.json").write_text("{}")
    said = videomama("status", "--connection-file", tmp_path / "c.json")
    assert said.code == 1
    assert said.err.startswith("Error: ")
    assert "Traceback" not in said.err


def test_stop_ends_the_server_its_worker_and_its_file(start_server, videomama, tmp_path):
    server = start_server("--log", str(tmp_path / "own.log"))
    worker = psutil.Process(server.status().worker_pid)
    said = videomama("stop", "--connection-file", server.connection_file)
    assert (said.code, said.out) == (0, "Stopping the server.\n")
    assert server.process.wait(60) == 0
    worker.wait(60)
    assert not server.connection_file.exists()
    assert "listens at" in (tmp_path / "own.log").read_text()
    assert server.log_file.read_text() == ""


def test_unload_ends_the_engine_and_the_next_job_loads_it_again(start_server, make_clip, videomama):
    server = start_server()
    assert server.refine(make_clip(count=1)).done.computed == 1
    said = videomama("unload", "--connection-file", server.connection_file)
    assert (said.code, said.out) == (0, "The engine is unloaded.\n")
    assert server.status().worker_pid is None
    assert server.refine(make_clip(count=1)).done.computed == 1


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("peak_bytes", 12_300_000, "12 MB"),
        ("resident_bytes", None, "-"),
        ("uptime_s", 1.26, "1.3"),
        ("jobs_done", 3, "3"),
        ("device", "cpu", "cpu"),
    ],
)
def test_values_of_the_status_as_a_person_reads_them(name, value, shown):
    assert _shown(name, value) == shown


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--port", "99999"], "port"),
        (["--port", "many"], "--port"),
        (["--host", "nowhere.invalid"], "cannot listen at nowhere.invalid"),
        (["--threads", "0"], "threads"),
        (["--engine-idle-s", "nan"], "engine_idle_s"),
        (["--server-idle-s", "-1"], "server_idle_s"),
        (["--cache-limit-gb", "inf"], "cache_limit_gb"),
        (["--connection-file", "/dev/null/connection.json"], "/dev/null"),
    ],
    ids=str,
)
def test_a_server_that_cannot_run_says_why_and_no_more(videomama, tmp_path, flags, said):
    answer = videomama("serve", "--connection-file", tmp_path / "c.json", "--cache-dir", tmp_path, *flags)
    assert answer.code in (1, 2)
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_a_taken_port_is_reported(server, videomama, tmp_path):
    port = connection.read(server.connection_file).endpoint.rpartition(":")[2]
    answer = videomama("serve", "--connection-file", tmp_path / "c.json", "--port", port)
    assert answer.code == 1
    assert f"cannot listen at 127.0.0.1:{port}" in answer.err
    assert not (tmp_path / "c.json").exists()


JOB = JobState(
    "0123456789", "shot010", "/p", "batch", "running", "classic", 3, 1, 1, 5.0, submitter=Submitter("ann", "ws", "cli"),
    phase=Phase("computing", subject="1-4"), frame_rate=0.5, seconds_left=4.0,
)  # fmt: skip


class Answering:
    """Stands in for the client of a server that holds an engine and works on a job."""

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        return None

    def status(self):
        facts = {"engine": "videomama", "jobs_running": 1, "jobs_finished": 2, "worker_restarts": 0}
        memory = {"worker_pid": 8, "worker_memory_bytes": 12_300_000}
        loaded = [
            LoadedEngine("videomama", "cuda:0", "fp16", 3_050_000_000, 7_000_000_000),
            LoadedEngine("own", "cpu", "fp32", 0),
        ]
        values = [ConfigValue("threads", "3"), ConfigValue("log", "")]
        return StatusReported(
            "r", "1.0", 7, 3.14, "/c", "/l", **memory, **facts, loaded=loaded, jobs=[JOB], config=values
        )


def test_status_names_every_engine_that_is_loaded_every_key_and_every_job(videomama, monkeypatch):
    monkeypatch.setattr("videomama_server.cli.serve.launch.connect", lambda file, start: Answering())
    lines = [line.strip() for line in videomama("status").out.splitlines()]
    assert lines[-5:] == [
        "loaded  videomama on cuda:0, fp16: 3050 MB resident, peak 7000 MB",
        "loaded  own on cpu, fp32: 0 MB resident, peak -",
        "config  threads = 3",
        "config  log = -",
        "job  0123456789"[:13] + " shot010: running, batch, 1/3, computing 1-4, 2.0 s/f, 0:04 left, ann@ws, cli",
    ]


def test_a_second_server_on_the_same_connection_file_says_so_and_is_no_failure(server, videomama, tmp_path):
    said = videomama("serve", "--connection-file", server.connection_file, "--cache-dir", tmp_path)
    assert (said.code, said.out) == (0, "")
    assert said.err == (
        f"a server runs already; its connection file is {server.connection_file}\n"
        "To start one with other values, stop it first: videomama stop\n"
    )
