"""Flags of a job, computed at once, in parts, or from the cache: through real jobs over a real cache."""

import json
import os
import threading

import cv2
import numpy as np
import pytest
from videomama_client.errors import Cancelled, NotPermitted, OutOfMemory
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.media import frames
from videomama_server.pipeline import quality_control, reader
from videomama_server.qc import scores

CLIP = range(1001, 1017)
SIZE = (90, 160)


class Spoiling(PassthroughEngine):
    """Passes masks through, but for frames on which it drops, or dims, what it was given."""

    name = "spoiling"
    fingerprint = "spoiling-1"

    def __init__(self, **spoilt):
        self.spoilt = {int(frame[1:]): factor for frame, factor in spoilt.items()}

    def prepare(self, frame, settings):
        return frame.mask * np.float32(self.spoilt.get(frame.number, 1.0))


FLUTTER = {f"f{frame}": 0.7 for frame in (1005, 1007, 1009)}


def head(x):
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    return np.clip((26 - np.hypot(columns - x, rows - 45)) / 3 + 0.5, 0, 1).astype(np.float32)


@pytest.fixture
def shot(make_shot):
    """A disc with a texture that moves over another, as plates and masks on disk."""
    noise = np.random.default_rng(5).random((*SIZE, 3), dtype=np.float32)
    behind = cv2.GaussianBlur(noise, (0, 0), 2)
    made = make_shot([])
    for index, number in enumerate(CLIP):
        alpha = head(55 + 2 * index)
        own = np.roll(behind[::-1], 2 * index, axis=1) + np.float32(0.3)
        made.put_plate(number, behind + (own - behind) * alpha[..., None])
        made.put_mask(number, alpha)
    return made


@pytest.fixture
def judged(monkeypatch):
    """List the scores by which each job is judged."""
    found = []
    real = quality_control.flags.judge
    monkeypatch.setattr(quality_control.flags, "judge", lambda scored: (found.append(scored), real(scored))[1])
    return found


def told(outcome):
    return [(flag.kind, flag.frame_numbers) for flag in outcome.done.flags]


def notes(bench):
    return sorted(bench.cache.folder.glob("entries/*/*.json"))


def test_a_right_job_has_scores_and_no_flag(bench, shot):
    done = bench.run(shot, Spoiling()).done
    assert (done.judged, done.flags) == (len(CLIP), [])


@pytest.mark.parametrize("roi", ["off", "auto"])
def test_what_is_wrong_is_flagged(bench, shot, roi):
    outcome = bench.run(shot, Spoiling(f1008=0.0), roi=roi)
    assert told(outcome) == [("alpha dropped", [1008])]
    (flag,) = outcome.done.flags
    assert (flag.worst, flag.reason) == (1008, "the alpha is gone and the mask is not")


def test_flicker_is_seen_between_frames(bench, shot):
    assert ("flicker", list(range(1005, 1011))) in told(bench.run(shot, Spoiling(**FLUTTER)))


def test_a_cached_job_has_the_same_flags_and_reads_no_plate(bench, shot, monkeypatch):
    first = bench.run(shot, Spoiling(**FLUTTER))
    reads = []
    monkeypatch.setattr(frames, "read_plate", lambda path, layer, view: reads.append(path))
    again = bench.run(shot, Spoiling(**FLUTTER))
    assert (again.done.computed, reads) == (0, [])
    assert again.done.flags == first.done.flags != []
    assert again.done.judged == len(CLIP)


def test_two_halves_have_the_same_scores_but_for_the_change_where_they_meet(make_bench, shot, judged):
    make_bench("whole").run(shot, Spoiling(f1004=0.6), roi="off")
    parts = make_bench("parts")
    for half in ("1001-1008", "1009-1016"):
        parts.run(shot, Spoiling(f1004=0.6), roi="off", frame_ranges=half)
    assert parts.run(shot, Spoiling(f1004=0.6), roi="off").computed == []
    whole, joined = judged[0], judged[-1]
    assert [one.frame for one in joined] == list(CLIP)
    for one, other in zip(whole, joined, strict=True):
        expected = one.by_itself if one.frame == 1009 else one
        kept = ("iou", "mask", "coverage", "outside", "softness", "hole", "alike", "flicker", "gain", "loss")
        assert [getattr(other, name) for name in kept] == [getattr(expected, name) for name in kept]


def test_a_change_from_a_frame_that_is_another_now_is_not_used(bench, shot, judged):
    """Only the mask of frame 1005 changes: that one is computed, and 1006 still knows how it followed the old one."""
    bench.run(shot, Spoiling(), roi="off")
    shot.put_mask(1005, head(68))
    assert bench.run(shot, Spoiling(), roi="off").computed == [1005]
    assert [one.frame for one in judged[-1] if one.flicker is None] == [1001, 1005, 1006]


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
    bench, shot, how, monkeypatch, judged
):
    first = bench.run(shot, Spoiling(**FLUTTER), roi="off")
    harm(bench, monkeypatch, how)
    again = bench.run(shot, Spoiling(**FLUTTER), roi="off")
    assert (again.done.computed, again.done.judged, again.done.warnings) == (0, len(CLIP), [])
    assert again.done.flags == first.done.flags != []
    assert judged[1] == judged[0]
    reads = []
    monkeypatch.setattr(frames, "read_plate", lambda path, *_: reads.append(path))
    last = bench.run(shot, Spoiling(**FLUTTER), roi="off")
    assert (last.done.flags, last.done.judged, reads) == (first.done.flags, len(CLIP), [])


@pytest.mark.parametrize("roi", ["auto", "off", "40,20,60,40"])
def test_only_frames_without_scores_are_read_again(bench, shot, monkeypatch, judged, roi):
    bench.run(shot, Spoiling(), roi=roi)
    gone = set(notes(bench)[::3])
    for note in gone:
        note.unlink()
    reads, real = [], frames.read_plate
    monkeypatch.setattr(frames, "read_plate", lambda path, *how: (reads.append(path), real(path, *how))[1])
    done = bench.run(shot, Spoiling(), roi=roi).done
    assert (done.computed, done.judged, len(reads)) == (0, len(CLIP), len(gone))
    assert [one.by_itself for one in judged[1]] == [one.by_itself for one in judged[0]]
    assert set(notes(bench)) >= gone


def test_frames_that_cannot_be_read_again_are_named_and_fail_no_job(bench, shot, monkeypatch):
    bench.run(shot, Spoiling())
    harm(bench, monkeypatch, "removed")
    real = frames.read_plate

    def read(path, *how):
        if "1003" in path.name or "1004" in path.name:
            raise OSError(5, "no such disk")
        return real(path, *how)

    monkeypatch.setattr(frames, "read_plate", read)
    done = bench.run(shot, Spoiling()).done
    assert (done.computed, done.judged) == (0, len(CLIP) - 2)
    assert done.warnings == ["quality control could not judge frames 1003-1004; see the server log"]


def test_a_job_can_be_cancelled_while_cached_frames_are_judged(bench, shot, monkeypatch):
    bench.run(shot, Spoiling())
    harm(bench, monkeypatch, "removed")
    cancelled = threading.Event()
    real = frames.read_plate
    monkeypatch.setattr(frames, "read_plate", lambda path, *how: (cancelled.set(), real(path, *how))[1])
    with pytest.raises(Cancelled):
        bench.run(shot, Spoiling(), cancelled=cancelled)
    assert len(notes(bench)) < len(CLIP)


def failing(real, error, *numbers):
    """Make a function fail for some frames, whose number or `Sight` is its first argument."""

    def work(first, *more):
        if getattr(first, "frame", first) in numbers:
            raise error
        return real(first, *more)

    return work


@pytest.mark.parametrize("error", [ValueError("shapes"), MemoryError(), OutOfMemory("full", "")], ids=repr)
@pytest.mark.parametrize("where", ["sight", "measure"])
def test_frames_that_cannot_be_judged_are_named_and_fail_no_job(bench, shot, monkeypatch, caplog, where, error):
    part = quality_control if where == "sight" else quality_control.scores
    with monkeypatch.context() as patch:
        patch.setattr(part, where, failing(getattr(part, where), error, 1003, 1004))
        outcome = bench.run(shot, Spoiling(f1008=0.0))
    assert sorted(outcome.frames) == outcome.computed == list(CLIP)
    assert told(outcome) == [("alpha dropped", [1008])]
    assert outcome.done.judged == len(CLIP) - 2
    assert outcome.done.warnings == ["quality control could not judge frames 1003-1004; see the server log"]
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [error, error]
    later = bench.run(shot, Spoiling(f1008=0.0)).done
    assert (later.computed, later.judged, later.warnings) == (0, len(CLIP), [])


def test_a_glimpse_that_fails_while_a_frame_is_read_fails_no_job(bench, shot, monkeypatch):
    real = reader.glimpse

    def glimpse(plate, mask, to_display):
        if mask[45, 59] == 1 and mask[45, 33] < 1:  # 1003 and what follows
            raise ValueError("shapes")
        return real(plate, mask, to_display)

    monkeypatch.setattr(reader, "glimpse", glimpse)
    done = bench.run(shot, Spoiling()).done
    (warning,) = done.warnings
    assert "could not judge frames" in warning
    assert 0 < done.judged < len(CLIP) == done.computed


def test_flags_that_cannot_be_found_fail_no_job(bench, shot, monkeypatch):
    def broken(_):
        raise ZeroDivisionError

    monkeypatch.setattr(quality_control.flags, "judge", broken)
    done = bench.run(shot, Spoiling()).done
    assert (done.computed, done.judged, done.flags) == (len(CLIP), 0, [])
    assert done.warnings == ["quality control could not judge frames 1001-1016; see the server log"]


@pytest.mark.parametrize("error", [OSError(28, "disk full"), NotPermitted("read-only", ""), RuntimeError("odd")])
def test_scores_that_cannot_be_kept_are_a_warning_and_a_later_run_measures_them(
    bench, shot, monkeypatch, judged, error
):
    def full(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(type(bench.cache), "keep_note", full)
        outcome = bench.run(shot, Spoiling(f1008=0.0))
    assert told(outcome) == [("alpha dropped", [1008])]
    assert outcome.done.judged == len(CLIP)
    assert outcome.done.warnings == [
        "the scores of frames 1001-1016 could not be kept in the cache; the next run measures them again"
    ]
    assert notes(bench) == []
    later = bench.run(shot, Spoiling(f1008=0.0))
    assert (later.done.computed, later.done.judged, later.done.warnings) == (0, len(CLIP), [])
    assert told(later) == told(outcome)
    assert judged[1] == judged[0]
    assert len(notes(bench)) == len(CLIP)


def test_what_is_kept_names_the_frame_before(bench, shot):
    bench.run(shot, Spoiling())
    kept = {note.stem: json.loads(note.read_text().partition("\n")[2]) for note in notes(bench)}
    assert len(kept) == len(CLIP)
    assert sorted(bool(one["before"]) for one in kept.values()) == [False, *[True] * (len(CLIP) - 1)]
    assert all(one["before"] in kept for one in kept.values() if one["before"])


def test_only_frames_that_are_wanted_are_judged(bench, shot, temporal):
    done = bench.run(shot, temporal(), frame_ranges="1005-1006").done
    assert done.judged == 2
