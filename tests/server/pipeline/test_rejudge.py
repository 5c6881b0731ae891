"""Frames that the cache has without scores are judged by the next job, and nothing is computed for them."""

import json
import os
import threading

import pytest
from videomama_client.errors import Cancelled
from videomama_server.media import frames
from videomama_server.qc import scores

CLIP = range(1001, 1017)
FLUTTER = {f"f{frame}": 0.7 for frame in (1005, 1007, 1009)}


@pytest.fixture
def shot(moving_shot):
    return moving_shot


def notes(bench):
    return sorted(bench.cache.folder.glob("entries/*/*.json"))


def harm(bench, monkeypatch, how):
    """Spoil all notes in the cache."""
    if how == "of another version":
        monkeypatch.setattr(scores, "VERSION", scores.VERSION + 1)
    for note in notes(bench):
        if how == "removed":
            note.unlink()
        elif how == "cut short":
            os.truncate(note, 90)
        elif how == "of other scores":
            kept = json.loads(note.read_text().partition("\n")[2])
            kept["scores"]["beauty"] = 1.0
            bench.cache.keep_note(note.with_suffix(".exr"), json.dumps(kept))


@pytest.mark.parametrize("how", ["removed", "cut short", "of another version", "of other scores"])
def test_frames_whose_scores_are_lost_are_judged_by_the_next_run_and_not_computed(
    bench, shot, how, monkeypatch, judged, spoiling
):
    first = bench.run(shot, spoiling(**FLUTTER), roi="off")
    harm(bench, monkeypatch, how)
    again = bench.run(shot, spoiling(**FLUTTER), roi="off")
    assert (again.done.computed, again.done.judged, again.done.warnings) == (0, len(CLIP), [])
    assert again.done.flags == first.done.flags != []
    assert judged[1] == judged[0]
    reads = []
    monkeypatch.setattr(frames, "read_plate", lambda path, *_: reads.append(path))
    last = bench.run(shot, spoiling(**FLUTTER), roi="off")
    assert (last.done.flags, last.done.judged, reads) == (first.done.flags, len(CLIP), [])


@pytest.mark.parametrize("roi", ["auto", "off", "40,20,60,40"])
def test_only_frames_without_scores_are_read_again(bench, shot, monkeypatch, judged, roi, spoiling):
    bench.run(shot, spoiling(), roi=roi)
    gone = set(notes(bench)[::3])
    for note in gone:
        note.unlink()
    reads, real = [], frames.read_plate
    monkeypatch.setattr(frames, "read_plate", lambda path, *how: (reads.append(path), real(path, *how))[1])
    done = bench.run(shot, spoiling(), roi=roi).done
    assert (done.computed, done.judged, len(reads)) == (0, len(CLIP), len(gone))
    assert [one.by_itself for one in judged[1]] == [one.by_itself for one in judged[0]]
    assert set(notes(bench)) >= gone


def test_frames_that_cannot_be_read_again_are_named_and_fail_no_job(bench, shot, monkeypatch, spoiling):
    bench.run(shot, spoiling())
    harm(bench, monkeypatch, "removed")
    real = frames.read_plate

    def read(path, *how):
        if "1003" in path.name or "1004" in path.name:
            raise OSError(5, "no such disk")
        return real(path, *how)

    monkeypatch.setattr(frames, "read_plate", read)
    done = bench.run(shot, spoiling()).done
    assert (done.computed, done.judged) == (0, len(CLIP) - 2)
    assert done.warnings == ["quality control could not judge frames 1003-1004; see the server log"]


def test_a_job_can_be_cancelled_while_cached_frames_are_judged(bench, shot, monkeypatch, spoiling):
    bench.run(shot, spoiling())
    harm(bench, monkeypatch, "removed")
    cancelled = threading.Event()
    real = frames.read_plate
    monkeypatch.setattr(frames, "read_plate", lambda path, *how: (cancelled.set(), real(path, *how))[1])
    with pytest.raises(Cancelled):
        bench.run(shot, spoiling(), cancelled=cancelled)
    assert len(notes(bench)) < len(CLIP)
