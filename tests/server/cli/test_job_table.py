import io
import time
from dataclasses import replace

from rich.console import Console
from videomama_client.job_records import JobState, Phase, Submitter
from videomama_server.cli.job_table import table
from videomama_server.cli.known_jobs import Listing

RUNNING = JobState(
    "a" * 32, "shot [red]010[/red]", "/p", "batch", "running", "classic", 40, 12, 10, 65.0,
    phase=Phase("computing", subject="13-16"), frame_rate=2.0, seconds_left=14.0,
    submitter=Submitter("ann", "ws12", "nuke"),
)  # fmt: skip
WAITING = replace(RUNNING, job="b" * 32, priority="interactive", state="waiting", phase=Phase("queued", 1),
    frame_rate=None, seconds_left=None, frame_count=None, done=0)  # fmt: skip
DONE = replace(RUNNING, job="c" * 32, state="done", ended_at=time.time(), seconds_left=None, flags="hole on 7")
LEFT = replace(DONE, job="d" * 32, state="interrupted", resumable=True, flags="", ended_at=None)
LONG_AGO = replace(DONE, job="e" * 32, ended_at=1_700_000_000.0)


def drawn(listing, width=200):
    out = io.StringIO()
    Console(file=out, width=width).print(table(listing))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_each_job_is_a_row_with_what_is_known_of_it():
    head, *rows = drawn(Listing([RUNNING, WAITING], [DONE]))
    assert head.split() == ["job", "state", "what", "frames", "rate", "time", "now", "by"]
    words = [" ".join(row.split()) for row in rows]
    assert words == [
        "aaaaaaaa running, batch shot [red]010[/red] 12/40 2.0 f/s 0:14 left computing 13-16 ann@ws12, nuke",
        "bbbbbbbb waiting shot [red]010[/red] 1:05 waiting behind 1 job ann@ws12, nuke",
        "cccccccc done shot [red]010[/red] 12/40 2.0 f/s 1:05 QC: hole on 7 ann@ws12, nuke",
    ]


def test_a_job_of_another_day_says_when_it_ended():
    (_, row) = drawn(Listing([], [LONG_AGO]))
    assert time.strftime("%d %b %H:%M", time.localtime(1_700_000_000)) in row


def test_in_a_narrow_terminal_every_job_still_has_one_line_with_id_state_and_frames():
    _, *rows = drawn(Listing([RUNNING], [DONE]), width=80)
    assert len(rows) == 2
    for row, state in zip(rows, ("running, batch", "done"), strict=True):
        assert len(row) <= 80
        assert state in row
        assert "12/40" in row


def test_jobs_that_can_be_queued_again_are_offered_and_notes_are_told():
    assert drawn(Listing([], [LEFT, replace(LEFT, job="f" * 32)], notes=("No server runs here.",)))[-2:] == [
        "No server runs here.", "2 jobs can be queued again: videomama jobs --resume",
    ]  # fmt: skip
    assert drawn(Listing([], [])) == ["No jobs."]
