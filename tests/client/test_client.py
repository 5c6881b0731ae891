import os
import time
from dataclasses import replace
from types import SimpleNamespace

import psutil
import pytest
from videomama_client import __version__, client, messages
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput, Cancelled, ProtocolError, WeightsError
from videomama_client.job_records import this_submitter
from videomama_client.setting_spec import specs_of
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage


@pytest.fixture
def asked(server):
    with server.client() as client:
        yield client


def test_hello_is_answered_with_version_and_pid(asked, server):
    greeted = asked.hello()
    assert (greeted.protocol, greeted.server) == (messages.PROTOCOL_VERSION, __version__)
    assert greeted.pid == server.process.pid


@pytest.mark.parametrize(("ahead", "side"), [(-1, "client"), (1, "server")])
def test_another_protocol_version_says_which_side_to_update(asked, monkeypatch, ahead, side):
    monkeypatch.setattr(messages, "PROTOCOL_VERSION", messages.PROTOCOL_VERSION + ahead)
    with pytest.raises(ProtocolError, match=f"speaks protocol {messages.PROTOCOL_VERSION}") as caught:
        asked.hello()
    assert caught.value.hint.startswith(f"Update the {side}")


def test_status_tells_what_is_true_and_nothing_else(asked, server):
    status = asked.status()
    assert status.pid == server.process.pid
    assert status.cache_dir == str(server.cache_dir)
    assert 0 < status.uptime_s < time.time() - psutil.Process(status.pid).create_time() + 1
    assert status.engine is None
    assert status.jobs == []
    assert (status.worker_memory_bytes is None) == (status.worker_pid is None)


def test_jobs_of_all_clients_are_told_newest_first(asked, server, make_clip):
    clip = make_clip(count=2)
    with server.client() as other:
        first = other.submit(clip.order(label="shot010.nk\nVideoMaMa1"))
        list(other.events(first))
    second = asked.submit(clip.order(engine="nonsense"))
    with pytest.raises(BadInput):
        list(asked.events(second))
    newest, before = asked.jobs()[:2]
    assert (newest.job, newest.state, newest.message) == (second, "failed", "unknown engine 'nonsense'")
    assert (before.job, before.state, before.label) == (first, "done", "shot010.nk VideoMaMa1")
    assert (before.plate, before.engine, before.frame_count) == (clip.plate, "passthrough", 2)
    assert (before.done, before.computed) == (2, 2)
    assert before.seconds > 0


def test_the_frames_that_a_job_would_read_are_told_before_they_are_there(asked):
    planned = asked.plan_frames(MatteSettings.of(engine="classic", mask_quality="good"), "1001-1100", "1050")
    assert (planned.engine, planned.window, planned.overlap) == ("classic", 8, 2)
    assert planned.needed_ranges == "1038-1057"
    open_ = asked.plan_frames(MatteSettings(engine="classic"), "1001-1100", "1050")
    assert open_.needed_ranges == "1011, 1031, 1038-1057, 1071, 1091"


@pytest.mark.parametrize(
    ("settings", "clip", "frames", "said"),
    [
        (MatteSettings(), "1001-1010", "1011", "1011"),
        (MatteSettings(), "", "", "''"),
        (MatteSettings(), "1001-1010", "x", "'x'"),
        (MatteSettings(engine="nonsense"), "1-10", "", "nonsense"),
        (MatteSettings(window=0), "1-10", "", "--window 0"),
    ],
    ids=["outside", "no clip", "no range", "engine", "window"],
)
def test_a_plan_that_makes_no_sense_is_refused(asked, settings, clip, frames, said):
    with pytest.raises(BadInput, match=said) as caught:
        asked.plan_frames(settings, clip, frames)
    assert caught.value.hint


def test_engines_are_told_with_their_settings(asked):
    told = asked.engines()
    assert tuple(told.settings) == specs_of(MatteSettings)
    assert [state.name for state in told.engines if not state.message] == [
        "videomama",
        "classic",
        "vitmatte",
        "mematte",
        "adjust",
        "passthrough",
        "held",
        "sam2",
        "sam3",
        "sam2matte",
    ]


def test_an_option_that_no_engine_has_is_refused(asked):
    with pytest.raises(BadInput, match="the engine classic has no option 'strength'"):
        asked.plan_frames(MatteSettings("classic", engine_options=(EngineOption("strength", 0.5),)), "1-10", "")


def test_an_engine_that_cannot_run_here_is_refused(asked, tmp_path):
    with pytest.raises(WeightsError, match="weights"):
        asked.plan_frames(MatteSettings.of(engine="videomama", weights=str(tmp_path / "none")), "1-10", "")


def test_the_cache_is_reported_pruned_and_cleared(start_server, make_clip):
    server, clip = start_server("--cache-limit-gb", "3"), make_clip(count=3)
    server.refine(clip)
    with server.client() as client:
        full = client.cache_report()
        assert (full.folder, full.entries, full.limit_bytes) == (str(server.cache_dir), 3, 3_000_000_000)
        assert full.bytes == sum(path.stat().st_size for path in server.entries())
        assert client.prune_cache().removed == 0
        pruned = client.prune_cache(0.0)
        assert (pruned.removed, pruned.freed_bytes, pruned.entries) == (3, full.bytes, 0)
        assert pruned.limit_bytes == full.limit_bytes
    server.refine(clip)
    with server.client() as client:
        cleared = client.clear_cache()
        assert (cleared.removed, cleared.entries, cleared.bytes) == (3, 0, 0)
    assert server.entries() == []
    assert server.refine(clip).done.computed == 3


@pytest.mark.parametrize("limit", [-1.0, float("nan"), float("inf")])
def test_a_limit_of_the_cache_that_makes_no_sense_is_refused(asked, limit):
    with pytest.raises(BadInput, match="GB"):
        asked.prune_cache(limit)


def test_the_server_proves_that_it_sees_a_file(asked, tmp_path):
    path = tmp_path / "plate.exr"
    path.write_bytes(os.urandom(3 << 20))
    assert asked.sees_file(path)
    assert asked.sees_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["plate.exr"]


def test_a_file_of_other_content_or_none_is_no_proof(asked, tmp_path, monkeypatch):
    path = tmp_path / "plate.exr"
    path.write_bytes(b"as the server sees it")
    monkeypatch.setattr(client, "file_proof", lambda path, nonce: "0" * 32)
    assert not asked.sees_file(path)
    assert not asked.sees_file(tmp_path / "none.exr")
    assert not asked.sees_file(tmp_path)


def test_events_of_a_job_come_in_order(asked, make_clip):
    clip = make_clip(count=3)
    heard = list(asked.events(asked.submit(clip.order())))
    assert not isinstance(heard[-1], messages.PhaseChanged)
    events = [event for event in heard if not isinstance(event, messages.PhaseChanged)]
    assert len(events) < len(heard)
    assert isinstance(events[0], messages.MattePlanned)
    assert sorted(event.frame for event in events[1:-1]) == list(clip.numbers)
    assert isinstance(events[-1], messages.MatteDone)
    assert events[-1].job == events[0].job


def test_events_of_two_jobs_on_one_socket_do_not_mix(asked, make_clip):
    clips = [make_clip(count=2), make_clip(count=3)]
    jobs = [asked.submit(clip.order()) for clip in clips]
    for clip, job in zip(reversed(clips), reversed(jobs), strict=True):
        events = [event for event in asked.events(job) if not isinstance(event, messages.PhaseChanged)]
        assert {event.job for event in events} == {job}
        assert len(events) == clip.count + 2


def test_a_failed_job_raises_its_own_kind_of_error(asked, make_clip):
    clip = make_clip(count=1)
    job = asked.submit(clip.order(engine="nonsense"))
    with pytest.raises(BadInput, match="unknown engine 'nonsense'"):
        list(asked.events(job))


def test_a_cancelled_job_ends_with_cancelled(asked, server, make_long_clip):
    clip, worker = make_long_clip(), server.worker()
    job = asked.submit(clip.order())
    events = asked.events(job)
    next(events)
    with server.held(worker):
        asked.cancel(job)
        asked.hello()  # what it said before is taken in
    with pytest.raises(Cancelled):
        list(events)
    assert asked.status().jobs_left == 0


def test_an_unknown_job_cannot_be_fetched_from(asked):
    with pytest.raises(BadInput, match="unknown job"):
        asked.fetch_alpha("nonsense", 1)


def test_a_finished_frame_can_be_fetched_and_another_not(asked, make_clip):
    clip = make_clip(count=1)
    job = asked.submit(clip.order())
    list(asked.events(job))
    assert asked.fetch_alpha(job, 1001) == clip.alpha_file(1001).read_bytes()
    with pytest.raises(BadInput, match="frame 1002 of this job is not done"):
        asked.fetch_alpha(job, 1002)


def test_an_engine_is_unloaded_and_a_server_ends_when_asked(start_server, make_clip, eventually):
    server = start_server()
    with server.client() as client:
        list(client.events(client.submit(make_clip(count=1).order())))
        client.unload_engine()
        assert client.status().worker_pid is None
        client.stop_server()
    eventually(lambda: server.process.poll() is not None, "the server ends")


def test_a_folder_where_this_side_cannot_write_is_named(asked, tmp_path):
    with pytest.raises(OSError, match="No such file") as raised:
        asked.sees_folder(tmp_path / "none")
    assert raised.value.filename == str(tmp_path / "none")


class Answering:
    """Stands in for the socket: keeps what it is asked, how long it may wait, and answers with the kind asked for."""

    def __init__(self):
        self.asked = []

    def ask(self, request, kind, timeout=None):
        self.asked.append((request, kind, timeout))
        return SimpleNamespace(jobs=["a job"], job="the job's id")


STAGES = (Stage("adjust"),)
SETTINGS = MatteSettings(engine="classic")
QUESTIONS = {
    "status": ((), messages.ReportStatus, {}, messages.StatusReported, None),
    "jobs": ((), messages.ReportJobs, {}, messages.JobsReported, None),
    "history": (
        ("shot010", 70, 20, ("failed",)),
        messages.ReportHistory,
        {"search": "shot010", "states": ["failed"], "before": 70, "limit": 20},
        messages.HistoryReported,
        None,
    ),
    "describe_job": (("abcd",), messages.DescribeJob, {"job": "abcd"}, messages.JobDescribed, None),
    "job_log": (("abcd", 9), messages.ReportLog, {"job": "abcd", "limit": 9}, messages.LogReported, None),
    "set_priority": (
        ("j", "batch"),
        messages.SetPriority,
        {"job": "j", "priority": "batch"},
        messages.PrioritySet,
        None,
    ),
    "resume_jobs": ((("a", "b"),), messages.ResumeJobs, {"jobs": ["a", "b"]}, messages.JobsResumed, None),
    "plan_frames": (
        (SETTINGS, "1-9", "3", STAGES),
        messages.PlanFrames,
        {"settings": SETTINGS, "clip": "1-9", "frame_ranges": "3", "then": STAGES},
        messages.FramesPlanned,
        60.0,
    ),
    "engines": ((), messages.ReportEngines, {}, messages.EnginesReported, 180.0),
    "cache_report": ((), messages.ReportCache, {}, messages.CacheReported, 120.0),
    "prune_cache": ((1.5,), messages.PruneCache, {"limit_gb": 1.5}, messages.CacheReported, 120.0),
    "clear_cache": ((), messages.ClearCache, {}, messages.CacheReported, 120.0),
    "unload_engine": ((), messages.UnloadEngine, {}, messages.EngineUnloaded, None),
    "stop_server": ((), messages.StopServer, {}, messages.ServerStopping, None),
}


@pytest.mark.parametrize("method", QUESTIONS)
def test_each_question_is_asked_as_it_was_put_and_waits_as_long_as_its_answer_may_take(unheard, method):
    words, kind, fields, answer, seconds = QUESTIONS[method]
    socket = Answering()
    found = getattr(client.Client(unheard, socket), method)(*words)
    ((request, expected, timeout),) = socket.asked
    assert (type(request), expected, timeout) == (kind, answer, seconds)
    assert {name: getattr(request, name) for name in fields} == fields
    assert len(request.request) == 32  # an id that no other request has
    assert (found is None) == (method in ("set_priority", "unload_engine", "stop_server"))


def test_a_job_says_who_submits_it_unless_its_program_did(unheard):
    socket, own = Answering(), messages.Submitter("ann", "ws", "web")
    plain = messages.SubmitMatte("r", "/p", "/m", "/o", MatteSettings())
    for request in (plain, replace(plain, submitter=own)):
        client.Client(unheard, socket).submit(request)
    (first, *_), (second, *_) = socket.asked
    assert first.submitter == this_submitter("script")
    assert second.submitter == own


def test_a_folder_is_proved_by_random_bytes_that_do_not_stay(unheard, tmp_path, monkeypatch):
    seen = []
    lonely = client.Client(unheard, Answering())
    monkeypatch.setattr(lonely, "sees_file", lambda path: seen.append(path.read_bytes()) or False)
    assert not lonely.sees_folder(tmp_path)
    assert not lonely.sees_folder(tmp_path)
    assert [len(content) for content in seen] == [32, 32]
    assert seen[0] != seen[1]
    assert list(tmp_path.iterdir()) == []


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(client.Client.history) == {"limit": 50}
    assert numbers_left_out(client.Client.job_log) == {"limit": 200}
