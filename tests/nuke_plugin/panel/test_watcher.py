"""The watcher alone, against a server over a real socket; no Qt."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from videomama_client import messages
from videomama_nuke.panel import watcher as watchers
from videomama_nuke.panel.snapshot import LOOKING, RUNNING, SILENT, UNREACHABLE

PLUGIN = Path(watchers.__file__).parents[2]
ASKS = (messages.Hello, messages.ReportStatus, messages.ReportJobs, messages.ReportCache)


def is_in(watcher, state):
    return lambda: watcher.snapshot().state == state


def test_nothing_runs_before_it_is_opened(scripted, panel_threads):
    watcher = watchers.Watcher(scripted.file)
    watcher.watch(True)
    watcher.prune_cache()
    assert watcher.snapshot().state == LOOKING
    assert not panel_threads()
    assert not scripted.heard


def test_it_tells_all_that_the_server_says(scripted, make_watcher, make_job, eventually):
    scripted.jobs = [make_job("a"), make_job("b", state="waiting")]
    scripted.log_file.write_text("hello\n")
    watcher = make_watcher(scripted.file)
    eventually(lambda: watcher.snapshot().cache is not None, "the cache is known")
    shot = watcher.snapshot()
    assert shot.state == RUNNING
    assert [job.job for job in shot.jobs] == ["a", "b"]
    assert shot.status.loaded[0].device == "cuda:0"
    assert shot.cache.entries == 12
    assert (shot.log_file, shot.log) == (str(scripted.log_file), ("hello",))
    assert time.time() - shot.since == pytest.approx(75.0, abs=5.0)


def test_it_asks_at_most_twice_a_second(scripted, make_watcher, eventually):
    watcher = make_watcher(scripted.file)
    eventually(is_in(watcher, RUNNING), "the server answers")
    eventually(lambda: scripted.count(messages.ReportStatus) >= 6, "it asks again and again")
    asked = [at for at, request in list(scripted.heard) if isinstance(request, messages.ReportStatus)]
    assert (asked[5] - asked[0]) / 5 > 0.45
    assert scripted.count(messages.ReportCache) <= 2


def test_unwatched_it_asks_nothing_and_holds_no_connection(scripted, make_watcher, eventually):
    watcher = make_watcher(scripted.file)
    eventually(is_in(watcher, RUNNING), "the server answers")
    watcher.watch(False)
    eventually(lambda: not any(talker._client for talker in watcher._talkers), "the connections are closed")
    since = time.monotonic()
    time.sleep(1.5)
    assert scripted.count(since=since) == 0
    watcher.watch(True)
    eventually(lambda: scripted.count(messages.ReportStatus, since=since), "it asks again")
    assert scripted.count(messages.Hello, since=since) >= 1


def test_commands_are_carried_out_unwatched_too(scripted, make_watcher, eventually):
    watcher = make_watcher(scripted.file, watched=False)
    watcher.unload_engine()
    eventually(lambda: watcher.snapshot().notice, "the command is done")
    assert watcher.snapshot().notice.text == "The engine is unloaded."
    assert not watcher.snapshot().busy


def test_nobody_there_is_said_so_and_nothing_is_started(tmp_path, make_watcher, eventually):
    watcher = make_watcher(tmp_path / "connection.json")
    eventually(is_in(watcher, UNREACHABLE), "it is known that nobody is there")
    shot = watcher.snapshot()
    assert str(tmp_path) in shot.problem
    assert shot.remedy
    time.sleep(2.5)
    assert watcher.snapshot().since == shot.since
    assert not list(tmp_path.iterdir())


def test_a_vanished_server_is_missed_and_found_again_with_other_keys(scripted, make_watcher, eventually):
    watcher = make_watcher(scripted.file)
    for _ in range(2):
        eventually(is_in(watcher, RUNNING), "the server answers")
        scripted.end()
        eventually(is_in(watcher, UNREACHABLE), "it is missed")
        assert watcher.snapshot().status is None
        assert watcher.snapshot().jobs == ()
        scripted.start()
    eventually(is_in(watcher, RUNNING), "it is found again")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted in /proc")
def test_coming_and_going_leaves_no_socket_and_no_thread(scripted, make_watcher, eventually, panel_threads):
    def files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    watcher = make_watcher(scripted.file)
    counts = []
    for _ in range(4):
        eventually(is_in(watcher, RUNNING), "the server answers")
        eventually(lambda: watcher.snapshot().cache is not None, "the cache is known")
        counts.append(files())
        scripted.end()
        eventually(is_in(watcher, UNREACHABLE), "it is missed")
        scripted.start()
    eventually(is_in(watcher, RUNNING), "the server answers")
    eventually(lambda: files() <= counts[0] + 2, f"sockets are closed: {counts}")
    assert len(panel_threads()) == 2


def test_a_silent_server_is_told_apart_from_a_dead_one(scripted, make_watcher, eventually):
    watcher = make_watcher(scripted.file)
    eventually(is_in(watcher, RUNNING), "the server answers")
    scripted.hang()
    eventually(lambda: watcher.snapshot().seen(time.time()) == SILENT, "the silence is noticed")
    scripted.hangs.clear()
    eventually(lambda: watcher.snapshot().seen(time.time()) == RUNNING, "it answers again")


def test_another_protocol_is_no_server(scripted, make_watcher, eventually):
    scripted.refusals["Hello"] = ("protocol", "the client speaks protocol 2, the server 9", "Update the client.")
    watcher = make_watcher(scripted.file)
    eventually(is_in(watcher, UNREACHABLE), "it gives up")
    assert watcher.snapshot().remedy == "Update the client."


def test_commands_say_what_came_of_them(scripted, make_watcher, make_job, eventually):
    scripted.jobs = [make_job("a"), make_job("b")]
    watcher = make_watcher(scripted.file)
    eventually(lambda: watcher.snapshot().jobs, "the jobs are known")

    def said(number: int) -> str:
        eventually(lambda: watcher.snapshot().notice and watcher.snapshot().notice.number == number, "it is said")
        return watcher.snapshot().notice.text

    watcher.cancel(["a", "b"])
    assert said(1) == "Asked to stop 2 jobs."
    eventually(lambda: {job.state for job in watcher.snapshot().jobs} == {"cancelled"}, "the jobs have ended")
    watcher.prune_cache()
    assert said(2) == "Removed 3 entries, 9.0 MB."
    watcher.clear_cache()
    assert said(3) == "Removed 12 entries, 34.0 MB."
    assert watcher.snapshot().cache.entries == 0
    watcher.stop_server()
    assert said(4) == "The server ends."


def test_pruning_says_so_where_nothing_had_to_go(scripted, make_watcher, eventually):
    scripted._on_PruneCache = scripted._on_ReportCache
    watcher = make_watcher(scripted.file)
    watcher.prune_cache()
    eventually(lambda: watcher.snapshot().notice, "it is done")
    assert watcher.snapshot().notice.text == "Nothing had to go."
    assert watcher.snapshot().cache.entries == 12


def test_a_server_is_started_aside_and_once(scripted, make_watcher, eventually, monkeypatch):
    from videomama_client import launch

    started, go = [], threading.Event()
    real = launch.connect

    def connect(file, start):
        here = threading.current_thread()
        started.append((file, start, here is threading.main_thread(), here.daemon))
        go.wait(60)
        return real(file, start=False)

    monkeypatch.setattr(launch, "connect", connect)
    watcher = make_watcher(scripted.file)
    for _ in range(2):
        watcher.start_server()
    assert watcher.snapshot().busy == ("Starting a server",)
    go.set()
    eventually(lambda: watcher.snapshot().notice, "it is said")
    assert (watcher.snapshot().notice.text, watcher.snapshot().busy) == ("The server runs.", ())
    assert started == [(scripted.file, True, False, True)]


def test_the_same_command_is_not_queued_twice(scripted, make_watcher, eventually):
    watcher = make_watcher(scripted.file)
    eventually(is_in(watcher, RUNNING), "the server answers")
    scripted.hang()
    for _ in range(3):
        watcher.clear_cache()
    watcher.prune_cache()
    assert watcher.snapshot().busy == ("Clearing the cache", "Pruning the cache")
    scripted.hangs.clear()
    eventually(lambda: not watcher.snapshot().busy, "both are done")
    assert scripted.count(messages.ClearCache) == scripted.count(messages.PruneCache) == 1
    assert watcher.snapshot().notice.number == 2


def test_threads_that_do_not_end_are_waited_for_a_second_in_all(scripted, make_watcher, monkeypatch):
    watcher = make_watcher(scripted.file)
    begun, going_on, waits = threading.Event(), threading.Event(), []
    talkers = watcher._talkers
    talkers[0].put(lambda: begun.set() or going_on.wait(60))
    assert begun.wait(60)
    with monkeypatch.context() as patch:
        patch.setattr(type(talkers[0]), "join", lambda self, seconds: waits.append(seconds) or True)
        assert watcher.close()
    assert waits[1] <= waits[0] <= 1.0
    assert waits[0] > 0.5
    assert not talkers[0].join(0.1)
    going_on.set()
    assert all(talker.join(60) for talker in talkers)


def test_a_refused_command_gives_message_and_hint(scripted, make_watcher, eventually):
    scripted.refusals["ClearCache"] = ("bad-input", "a job uses the cache", "Wait for it.")
    watcher = make_watcher(scripted.file)
    watcher.clear_cache()
    eventually(lambda: watcher.snapshot().notice, "the refusal is known")
    notice = watcher.snapshot().notice
    assert (notice.text, notice.hint, notice.bad) == ("a job uses the cache", "Wait for it.", True)


def test_the_cache_is_counted_again_when_jobs_have_added_to_it(
    scripted, make_watcher, make_job, eventually, monkeypatch
):
    monkeypatch.setattr(watchers, "CACHE_EVERY_S", 0.2)
    watcher = make_watcher(scripted.file)
    eventually(lambda: watcher.snapshot().cache is not None, "the cache is known")
    time.sleep(1.0)
    counted = scripted.count(messages.ReportCache)
    assert counted <= 2
    scripted.jobs = [make_job(computed=9)]
    eventually(lambda: scripted.count(messages.ReportCache) > counted, "it is counted again")


def test_it_closes_soon_while_the_server_hangs(scripted, make_watcher, eventually, panel_threads):
    watcher = make_watcher(scripted.file)
    eventually(is_in(watcher, RUNNING), "the server answers")
    scripted.hang()
    watcher.clear_cache()
    eventually(lambda: watcher.snapshot().busy, "it waits for the server")
    assert watcher.close(60)
    assert watcher.close()
    assert not panel_threads()


def test_all_are_closed_at_once(scripted, make_watcher, panel_threads):
    for _ in range(3):
        make_watcher(scripted.file)
    assert len(panel_threads()) == 6
    assert watchers.close_all()
    assert not panel_threads()
    assert watchers.close_all()


def test_it_can_be_opened_again(scripted, make_watcher, eventually):
    watcher = make_watcher(scripted.file)
    eventually(is_in(watcher, RUNNING), "the server answers")
    watcher.close()
    asked = scripted.count(*ASKS)
    watcher.open()
    watcher.watch(True)
    eventually(lambda: scripted.count(*ASKS) > asked and watcher.snapshot().state == RUNNING, "it answers again")


def in_fresh_python(script: str, *words: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(PLUGIN)}
    return subprocess.run(
        [sys.executable, "-c", script, *words], env=environment, capture_output=True, text=True, timeout=120
    )


def test_importing_it_does_nothing():
    script = (
        "import sys, threading\nfrom videomama_nuke.panel import watcher, snapshot, log_tail, report\n"
        "print([m for m in ('zmq', 'msgpack', 'Qt', 'numpy') if m in sys.modules], threading.active_count())"
    )
    said = in_fresh_python(script)
    assert said.stdout == "[] 1\n", said.stderr


def test_without_zeromq_it_says_so():
    script = (
        "import sys; sys.modules['zmq'] = None\nfrom videomama_nuke.panel import watcher\n"
        "w = watcher.Watcher(); w.open(); w.watch(True); w.prune_cache(); w.start_server(); s = w.snapshot()\n"
        "print(s.state, s.problem, s.remedy, w.close())"
    )
    said = in_fresh_python(script)
    assert said.stdout.startswith("unreachable Cannot be loaded: "), said.stderr
    assert "zmq" in said.stdout


def test_a_program_that_forgets_to_close_it_ends_all_the_same(scripted):
    script = (
        "import sys, time, pathlib\nfrom videomama_nuke.panel import watcher\n"
        "w = watcher.Watcher(pathlib.Path(sys.argv[1])); w.open(); w.watch(True)\n"
        "until = time.monotonic() + 60\n"
        "while w.snapshot().state != 'running' and time.monotonic() < until: time.sleep(0.05)\n"
        "print(w.snapshot().state, flush=True)"
    )
    said = in_fresh_python(script, str(scripted.file))
    assert said.stdout.strip() == "running", said.stderr
    assert said.returncode == 0, said.stderr


def test_what_a_command_changed_is_asked_for_at_once(scripted, make_watcher, make_job, eventually, monkeypatch):
    monkeypatch.setattr(watchers, "EVERY_S", 600.0)
    scripted.jobs = [make_job("a")]
    watcher = make_watcher(scripted.file)
    eventually(lambda: watcher.snapshot().jobs, "the jobs are known")
    watcher.cancel(["a"])
    eventually(lambda: [job.state for job in watcher.snapshot().jobs] == ["cancelled"], "the news are there")


def test_the_cache_is_counted_as_soon_as_the_server_answers(scripted, make_watcher, eventually, monkeypatch):
    monkeypatch.setattr(watchers, "CACHE_EVERY_S", 600.0)
    watcher = make_watcher(scripted.file)
    eventually(lambda: watcher.snapshot().cache is not None, "the cache is known")
