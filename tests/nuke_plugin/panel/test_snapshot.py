"""Words for sizes, times, progress and states."""

from dataclasses import replace

import pytest
from videomama_client.job_records import Phase, Submitter
from videomama_client.messages import CacheReported, LoadedEngine, StatusReported
from videomama_nuke.panel import snapshot
from videomama_nuke.panel.snapshot import RUNNING, SILENT, UNREACHABLE, Snapshot

HELD = LoadedEngine("videomama", "cuda:0", "bf16", 3_100_000_000)
OTHER = LoadedEngine("vitmatte", "cpu", "fp32", 100_000_000, 200_000_000)
STATUS = StatusReported("r", "0.1.0", 4711, 75.0, "/cache", "/log", 4712, 532_000_000, "videomama", 1, 3, 0, [HELD])


SIZES = {
    100_000: "100 kB",
    99_900: "99.9 kB",
    0: "0 B",
    999: "999 B",
    1000: "1.0 kB",
    34_000_000: "34.0 MB",
    532_000_000: "532 MB",
    10**11: "100 GB",
    2 * 10**16: "20000 TB",
}
SPANS = [
    (0.4, "0 s", "0:00"),
    (59.9, "59 s", "0:59"),
    (62, "1 min 02 s", "1:02"),
    (3600 * 3 + 312, "3 h 05 min", "3:05:12"),
    (90_000, "1 d 1 h", "25:00:00"),
    (-5, "0 s", "0:00"),
    (60, "1 min 00 s", "1:00"),
    (3599, "59 min 59 s", "59:59"),
    (3600, "1 h 00 min", "1:00:00"),
    (86_399, "23 h 59 min", "23:59:59"),
    (86_400, "1 d 0 h", "24:00:00"),
]


@pytest.mark.parametrize(("count", "said"), SIZES.items())
def test_a_size_has_three_digits_or_so(count, said):
    assert snapshot.size(count) == said


@pytest.mark.parametrize(("seconds", "said", "narrow"), SPANS)
def test_a_time_span_has_its_largest_units(seconds, said, narrow):
    assert snapshot.duration(seconds) == said
    assert snapshot.stopwatch(seconds) == narrow


def test_a_server_that_owes_an_answer_for_long_is_silent():
    shot = Snapshot(state=RUNNING, since=100.0, asked=200.0, status=STATUS)
    assert shot.seen(201.0) == RUNNING
    assert shot.seen(204.0) == SILENT
    assert snapshot.server_line(shot, 207.0) == "No answer for 7 s"


def test_an_unreachable_server_says_why_and_what_to_do():
    shot = Snapshot(state=UNREACHABLE, since=100.0, problem="nobody there", remedy="Start one.")
    assert snapshot.server_line(shot, 160.0).startswith("Not reachable since ")
    assert snapshot.server_detail(shot) == "Nobody there. Start one."


def test_a_running_server_says_what_it_is():
    assert (
        snapshot.server_detail(Snapshot(state=RUNNING, status=STATUS))
        == "Version 0.1.0 \u00b7 pid 4711 \u00b7 up 1 min 15 s"
    )
    assert snapshot.engine_line(STATUS) == "videomama on cuda:0, bf16"
    assert snapshot.memory_line(STATUS) == "worker\u00a0532\u00a0MB \u00b7 weights\u00a03.1\u00a0GB"


def test_what_is_not_known_is_not_made_up():
    nothing = replace(STATUS, engine=None, loaded=[], worker_memory_bytes=None)
    assert snapshot.engine_line(nothing) == "Not loaded"
    assert snapshot.memory_line(nothing) == snapshot.engine_line(None) == snapshot.cache_line(None) == snapshot.NOTHING


def test_progress_tells_cached_frames_apart(make_job):
    job = make_job(frame_count=40, done=10, computed=8)
    assert snapshot.job_progress(job) == "10 of 40 \u00b7 2 cached"
    assert snapshot.shares(job) == (0.05, 0.2)
    assert snapshot.job_progress(make_job(frame_count=None, done=0, computed=0)) == ""
    assert snapshot.shares(make_job(frame_count=None, done=0, computed=0)) == (0.0, 0.0)


def test_a_failed_job_says_why(make_job):
    failed = make_job(state="failed", message="plate frame 1003 is missing")
    assert snapshot.job_details(failed) == ("failed: plate frame 1003 is missing",)
    assert "plate frame 1003 is missing" in snapshot.job_sentence(failed)
    assert not snapshot.stoppable(failed)


def test_a_job_that_failed_says_which_frame_to_look_at_and_names_knobs(make_job):
    failed = make_job(state="failed", message="mask frame 1003: lower --mask-threshold", role="mask", frame=1003)
    assert snapshot.job_details(failed) == ("failed: mask frame 1003: lower 'mask threshold'",)
    assert "Look at frame 1003 of the mask." in snapshot.job_sentence(failed).splitlines()
    assert "Look at" not in snapshot.job_sentence(make_job())


def test_a_job_with_flags_names_them(make_job):
    done = make_job(state="done", flags="flicker on 1007-1009")
    assert snapshot.job_details(done) == ("done \u00b7 QC: flicker on 1007-1009",)
    assert "QC: flicker on 1007-1009" in snapshot.job_sentence(done).splitlines()
    assert "QC" not in snapshot.job_sentence(make_job(state="done"))


def test_a_notice_is_news_for_a_while(make_job):
    shot = Snapshot(notice=snapshot.Notice(1, 100.0, "the cache is in use", "Wait.", bad=True))
    assert snapshot.notice_line(shot, 130.0) == "The cache is in use. Wait."
    assert snapshot.notice_line(shot, 200.0) == ""
    assert snapshot.notice_line(replace(shot, busy=("Pruning the cache",)), 130.0) == "Pruning the cache\u2026"


def test_details_get_shorter(make_job):
    said = snapshot.job_details(make_job())
    assert said == ("running \u00b7 interactive \u00b7 passthrough", "running \u00b7 interactive", "running")


def test_jobs_are_counted(make_job):
    jobs = (make_job(), make_job(state="waiting"), make_job(state="waiting"), make_job(state="done"))
    assert snapshot.jobs_line(jobs) == "1 running, 2 waiting"
    assert snapshot.jobs_line(()) == "none running"


def test_the_cache_says_how_full_it_is():
    assert snapshot.cache_line(CacheReported("", "/c", 1, 10, 0)) == "1 entry \u00b7 10 B"
    older = CacheReported("", "/c", 12, 10, 0, older_entries=3, older_bytes=4)
    assert snapshot.cache_line(older) == "12 entries \u00b7 10 B \u00b7 3 of older versions"
    assert snapshot.cache_line(CacheReported("", "/c", 1234, 3_400_000_000, 10**11)) == (
        "1,234 entries \u00b7 3.4 GB of 100 GB"
    )


def test_at_first_nothing_is_known():
    nothing = Snapshot()
    assert nothing == Snapshot(snapshot.LOOKING, 0.0, 0.0, 0.0, "", "", None, (), None, "", (), None, ())
    assert snapshot.server_line(nothing, 100.0) == "Looking for a server"
    assert snapshot.server_detail(nothing) == ""
    assert snapshot.notice_line(nothing, 100.0) == ""
    assert not snapshot.Notice(1, 0.0, "done").bad


@pytest.mark.parametrize(("asked", "state"), [(0.0, RUNNING), (97.0, RUNNING), (96.9, SILENT)])
def test_three_seconds_are_no_silence_yet(asked, state):
    assert Snapshot(state=RUNNING, asked=asked).seen(100.0) == state
    assert Snapshot(state=UNREACHABLE, asked=asked).seen(100.0) == UNREACHABLE


@pytest.mark.parametrize(("age", "said"), [(60.0, "Done."), (60.5, "")])
def test_news_are_a_minute_old_at_most(age, said):
    shot = Snapshot(notice=snapshot.Notice(1, 100.0, "done"))
    assert snapshot.notice_line(shot, 100.0 + age) == said


@pytest.mark.parametrize(
    ("engine", "loaded", "said"),
    [
        (None, [], "Not loaded"),
        ("classic", [], "classic"),
        (None, [HELD], "videomama on cuda:0, bf16"),
        ("videomama", [HELD], "videomama on cuda:0, bf16"),
        ("adjust", [HELD, OTHER], "adjust; videomama on cuda:0, bf16; vitmatte on cpu, fp32"),
    ],
)
def test_of_the_engines_is_said_what_is_known(engine, loaded, said):
    assert snapshot.engine_line(replace(STATUS, engine=engine, loaded=loaded)) == said


def test_the_memory_of_each_engine_that_is_loaded_is_said_with_its_name():
    said = snapshot.memory_line(replace(STATUS, loaded=[HELD, OTHER])).replace("\u00a0", " ").split(" \u00b7 ")
    assert said == ["worker 532 MB", "videomama weights 3.1 GB", "vitmatte weights 100 MB", "vitmatte peak 200 MB"]


def test_a_clock_names_the_day_where_that_is_another():
    import time

    now = time.mktime((2026, 5, 4, 12, 0, 0, 0, 0, -1))
    assert snapshot.server_line(Snapshot(state=RUNNING, since=now - 60), now) == "Running since 11:59:00"
    earlier = snapshot.server_line(Snapshot(state=RUNNING, since=now - 86400), now)
    assert earlier.endswith("12:00")
    assert earlier.startswith("Running since 03 ")


@pytest.mark.parametrize(
    ("words", "said"), [("", ""), ("done", "Done."), ("done.", "Done."), ("what?", "What?"), ("now!", "Now!")]
)
def test_words_become_a_sentence(words, said):
    assert snapshot.sentence(words) == said


def test_a_jobs_sentence_names_its_stage(make_job):
    said = snapshot.job_sentence(make_job(frame_count=4, done=2, computed=2, stage="2 of 2, adjust")).split("\n")
    assert {"2 of 4 frames, 2 computed", "stage 2 of 2, adjust"} <= set(said)


def test_shares_never_leave_the_bar(make_job):
    assert snapshot.shares(make_job(frame_count=10, done=40, computed=15)) == (1.0, 1.0)
    assert snapshot.shares(make_job(frame_count=1, done=1, computed=1)) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"frame_count": None, "done": 3, "computed": 3}, "3"),
        ({"frame_count": 4, "done": 0, "computed": 0}, "0 of 4"),
        ({"frame_count": 4, "done": 4, "computed": 0}, "4 of 4 \u00b7 4 cached"),
        (
            {"frame_count": 4, "done": 4, "computed": 4, "stage": "2 of 2, adjust", "side": "foreground 1 of 4"},
            "4 of 4 \u00b7 foreground 1 of 4",
        ),
        (
            {"frame_count": 4, "done": 0, "computed": 0, "stage": "1 of 2, classic"},
            "0 of 4 \u00b7 stage 1 of 2, classic",
        ),
        ({"frame_count": None, "done": 0, "phase": Phase("queued", 2)}, "waiting behind 2 jobs"),
        (
            {"frame_count": 4, "done": 0, "computed": 0, "phase": Phase("computing", subject="1-4")},
            "0 of 4 \u00b7 computing 1-4",
        ),
        (
            {"frame_count": 4, "done": 1, "computed": 1, "stage_done": 1, "phase": Phase("computing", subject="2")},
            "1 of 4",
        ),
        (
            {"frame_count": 4, "done": 4, "computed": 0, "phase": Phase("checking", 1, 4)},
            "4 of 4 \u00b7 4 cached \u00b7 checking cached alphas, 1/4",
        ),
        (
            {
                "frame_count": 4,
                "done": 4,
                "computed": 4,
                "side": "foreground 1 of 4",
                "phase": Phase("side-results", 1),
            },
            "4 of 4 \u00b7 foreground 1 of 4",
        ),
    ],
)
def test_progress_says_what_is_known(make_job, changes, said):
    assert snapshot.job_progress(make_job(**changes)) == said


def test_a_sentence_of_a_job_has_all_that_is_known_and_nothing_else(make_job):
    job = make_job(label="sh010", engine=None, frame_count=None, done=0, computed=0, seconds=5, plate="/p.exr")
    assert snapshot.job_sentence(job) == "sh010\nrunning, interactive\n5 s\n/p.exr"
    planned = replace(job, engine="classic", frame_count=4)
    assert snapshot.job_sentence(planned) == (
        "sh010\nrunning, interactive\nengine classic\n0 of 4 frames, 0 computed\n5 s\n/p.exr"
    )


def test_a_sentence_of_a_job_says_how_long_it_will_take_and_who_submitted_it(make_job):
    job = make_job(seconds_left=75.0, submitter=Submitter("ann", "ws12", "cli"))
    said = snapshot.job_sentence(job).splitlines()
    assert {"about 1 min 15 s left", "submitted by ann@ws12 with cli"} <= set(said)


@pytest.mark.parametrize("state", ["done", "failed", "cancelled", "interrupted"])
def test_what_has_ended_cannot_be_stopped(make_job, state):
    assert not snapshot.stoppable(make_job(state=state))
    assert snapshot.stoppable(make_job(state="waiting"))
    assert snapshot.stoppable(make_job())


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(snapshot.Notice) == {"bad": False}
    assert numbers_left_out(Snapshot) == {"since": 0.0, "heard": 0.0, "asked": 0.0}
