"""`videomama jobs`, `cancel`, `priority` and `log`, against a real server."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from videomama_client.errors import BadInput
from videomama_client.job_records import JobState
from videomama_client.messages import FrameDone, JobsResumed
from videomama_server.cli import jobs as jobs_command

WAIT_S = 60


@pytest.fixture
def run(videomama, server):
    """Run a command against the server: `run("jobs", "--json")`."""
    return lambda *words: videomama(*words, "--connection-file", server.connection_file)


@pytest.fixture
def busy(server, make_long_clip):
    """Two jobs of many frames, the first of which runs; they are stopped at the end."""
    clip = make_long_clip(count=1200)
    with server.client() as client:
        jobs = [client.submit(clip.order(label=f"shot{number}", priority="batch")) for number in (1, 2)]
        next(event for event in client.events(jobs[0]) if isinstance(event, FrameDone))
        yield jobs
        for job in jobs:
            client.cancel(job)
        client.status()


def listed(run, *words):
    said = run("jobs", "--json", *words)
    assert (said.code, said.err) == (0, "")
    return json.loads(said.out)["jobs"]


def test_jobs_are_listed_as_fields_and_as_a_table(run, busy):
    first, second = listed(run, "--state", "running", "--state", "waiting")
    assert (first["job"], first["state"], first["label"]) == (busy[0], "running", "shot1")
    assert (second["job"], second["state"], second["jobs_before"]) == (busy[1], "waiting", 1)
    assert (second["phase"]["code"], second["phase"]["done"]) == ("queued", 1)
    assert first["submitter"]["program"] == "script"
    lines = run("jobs").out.splitlines()
    assert lines[1].split()[:3] == [busy[0][:8], "running,", "batch"]
    assert "waiting behind 1 job" in lines[2]


def test_a_job_is_stopped_by_the_beginning_of_its_id_whoever_submitted_it(run, busy):
    said = run("cancel", busy[1][:8])
    assert (said.code, said.out) == (0, f"{busy[1][:8]} shot2 is cancelled.\n")
    assert run("cancel", busy[1][:8]).err.startswith(f"Error: job {busy[1][:8]} shot2 has ended: cancelled")
    assert listed(run, "--state", "cancelled")[0]["job"] == busy[1]


def test_all_jobs_are_stopped(run, busy):
    stopped = json.loads(run("cancel", "--all", "--json").out)["jobs"]
    assert {job["job"]: job["state"] for job in stopped} == dict.fromkeys(busy, "cancelled")
    assert run("cancel", "--all").out == "No job waits or runs.\n"


@pytest.mark.parametrize("words", [[], ["--all", "abcdef"]])
def test_what_is_to_be_stopped_is_said_in_one_way(run, words):
    said = run("cancel", *words)
    assert (said.code, said.out) == (1, "")
    assert "name the jobs to stop, or give --all" in said.err


def test_a_job_gets_another_priority_and_goes_first(run, busy, eventually):
    assert run("priority", busy[1][:8], "interactive").out == f"{busy[1][:8]} shot2 is interactive now.\n"
    eventually(lambda: listed(run)[0]["job"] == busy[1] and listed(run)[0]["state"] == "running", "it goes first")
    assert "Invalid value for 'PRIORITY'" in run("priority", busy[1], "soon").err


def test_the_log_of_a_job_is_printed_with_times(run, busy):
    lines = run("log", busy[0][:8]).out.splitlines()
    assert lines[0].split(maxsplit=3)[2:] == ["info", lines[0].split(maxsplit=3)[3]]
    assert "submitted by " in lines[0]
    assert json.loads(run("log", busy[0], "--json", "--limit", "1").out)["lines"][0].keys() == {"at", "text", "level"}
    said = run("log", "ffffffff")
    assert (said.code, said.err.splitlines()[0]) == (1, "Error: unknown job ffffffff")


def test_ids_are_for_resume_alone(run):
    assert "ids are given without --resume" in run("jobs", "abcd").err
    assert run("jobs", "--resume").out == "No job had to be queued again.\n"


def test_watched_jobs_are_printed_again_and_again_until_the_reader_leaves(server):
    words = ["jobs", "--watch", "--json", "--connection-file", str(server.connection_file)]
    with subprocess.Popen(
        [sys.executable, "-m", "videomama_server", *words], stdout=subprocess.PIPE, text=True
    ) as watch:
        lines = [json.loads(watch.stdout.readline()) for _ in range(2)]
        watch.terminate()
    assert all("jobs" in line for line in lines)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a server is killed as POSIX does")
def test_a_job_that_a_killed_server_left_is_resumed_and_nothing_finished_is_done_again(
    start_server, videomama, make_long_clip, eventually
):
    server, clip = start_server(), make_long_clip(count=120)
    worker = server.worker()

    def run(*words):
        return videomama(*words, "--connection-file", server.connection_file)

    with server.client() as client:
        job, waits = (
            client.submit(clip.order()),
            client.submit(clip.order(exposure=1.0, out=str(clip.folder / "second" / "alpha.####.exr"))),
        )
        events = (event for event in client.events(job) if isinstance(event, FrameDone))
        for _ in range(20):
            next(events)
        with server.held(worker):
            eventually(lambda: client.describe_job(job).state.frame_count, "the history has the plan")
            server.kill()
    finished = len(server.entries())
    assert {one["job"]: one["state"] for one in listed(run)} == {job: "interrupted", waits: "interrupted"}
    server.start()
    assert "2 jobs can be queued again: videomama jobs --resume" in run("jobs").out
    assert json.loads(run("jobs", "--resume", "--json").out) == {"resumed": [job, waits], "left": []}
    eventually(lambda: {one["state"] for one in listed(run)} == {"done"}, "both are done")
    states = {one["job"]: one for one in listed(run)}
    assert states[job]["done"] == 120
    assert 20 <= finished <= 120 - states[job]["computed"]
    assert (states[waits]["done"], states[waits]["computed"]) == (120, 120)
    log = run("log", job).out
    assert log.count("submitted by") == log.count("resumed:") == log.count("interrupted:") == 1


class Resuming:
    """A client whose server queues these jobs again, and says why not those."""

    def __init__(self, jobs, left):
        self.told, self.asked = JobsResumed("r", jobs, left), []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def resume_jobs(self, ids):
        self.asked.append(tuple(ids))
        return self.told


@pytest.mark.parametrize(
    ("jobs", "left", "said"),
    [
        (["a", "b"], [], "2 jobs queued again.\n"),
        (["a"], ["b shot: it is done"], "1 job queued again.\n"),
        ([], [], "No job had to be queued again.\n"),
    ],
)
def test_what_was_queued_again_is_said_and_what_was_not(videomama, monkeypatch, jobs, left, said):
    client, started = Resuming(jobs, left), []
    monkeypatch.setattr(jobs_command, "_connected", lambda file, start=False: started.append(start) or client)
    told = videomama("jobs", "--resume", "ab12")
    assert (told.code, told.out, started, client.asked) == (0, said, [True], [("ab12",)])
    assert told.err == "".join(f"Not queued: {why}\n" for why in left)
    assert json.loads(videomama("jobs", "--resume", "--json").out) == {"resumed": jobs, "left": left}


def test_jobs_are_shown_until_ctrl_c_where_no_terminal_is(videomama, monkeypatch):
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 2:
            raise KeyboardInterrupt

    told = []
    monkeypatch.setattr(jobs_command, "_listed", lambda file, wanted: "listing")
    monkeypatch.setattr(jobs_command, "_tell", lambda listing, as_json: told.append((listing, as_json)))
    monkeypatch.setattr(jobs_command.time, "sleep", sleep)
    assert videomama("jobs", "--watch", "--json").code == 130
    assert (told, len(slept)) == ([("listing", True)] * 2, 2)


def state(job, name):
    return JobState(job, "shot", "/p", "batch", name, "classic", 4, 2, 2, 1.0)


class Stopping:
    """A client whose jobs have ended when they were looked at for the third time."""

    def __init__(self, *jobs):
        self.jobs, self.cancelled, self.looks = list(jobs), [], 0

    def cancel(self, job):
        self.cancelled.append(job)

    def describe_job(self, job):
        self.looks += 1
        return SimpleNamespace(state=state(job, "cancelled" if self.looks > 2 else "running"))

    def status(self):
        left, self.jobs = self.jobs, []
        return SimpleNamespace(jobs=left)


def test_all_jobs_are_stopped_the_last_first_and_waited_for(monkeypatch):
    monkeypatch.setattr(jobs_command, "_LOOK_S", 0.0)
    client = Stopping(state("first", "running"), state("second", "waiting"))
    assert [job.state for job in jobs_command._stop_all(client)] == ["cancelled"] * 2
    assert (client.cancelled, client.looks) == (["second", "first"], 4)


def test_a_job_that_does_not_end_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(jobs_command, "_END_S", -1.0)
    client = Stopping(state("first", "running"))
    assert [job.state for job in jobs_command._stop_all(client)] == ["running"]
    client.looks = 9
    with pytest.raises(BadInput, match="has ended: cancelled"):
        jobs_command._left(client, "first")


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(jobs_command._connected) == {"start": False}
