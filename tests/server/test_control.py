"""Flags of a job, computed at once, in parts, or from the cache: through real jobs over a real cache."""

import json
import os

import cv2
import numpy as np
import pytest
from videomama_server import control, frames
from videomama_server.engines.passthrough import PassthroughEngine
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
    real = control.flags.judge
    monkeypatch.setattr(control.flags, "judge", lambda scored: (found.append(scored), real(scored))[1])
    return found


def told(outcome):
    return [(flag.kind, flag.frames) for flag in outcome.done.flags]


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
        parts.run(shot, Spoiling(f1004=0.6), roi="off", frames=half)
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


@pytest.mark.parametrize("harm", ["removed", "cut short", "of another version"])
def test_scores_that_are_lost_are_no_error_and_nothing_is_computed_for_them(bench, shot, harm, monkeypatch):
    bench.run(shot, Spoiling())
    if harm == "of another version":
        monkeypatch.setattr(scores, "VERSION", scores.VERSION + 1)
    for note in notes(bench)[:4] if harm != "of another version" else ():
        if harm == "removed":
            note.unlink()
        else:
            os.truncate(note, 90)
    done = bench.run(shot, Spoiling()).done
    assert (done.computed, done.flags) == (0, [])
    assert done.judged == (0 if harm == "of another version" else len(CLIP) - 4)


def test_a_disk_that_takes_no_scores_fails_no_job(bench, shot, monkeypatch):
    def full(*_):
        raise OSError(28, "disk full")

    monkeypatch.setattr(type(bench.cache), "keep_note", full)
    outcome = bench.run(shot, Spoiling(f1008=0.0))
    assert told(outcome) == [("alpha dropped", [1008])]
    assert notes(bench) == []


def test_what_is_kept_names_the_frame_before(bench, shot):
    bench.run(shot, Spoiling())
    kept = {note.stem: json.loads(note.read_text().partition("\n")[2]) for note in notes(bench)}
    assert len(kept) == len(CLIP)
    assert sorted(bool(one["before"]) for one in kept.values()) == [False, *[True] * (len(CLIP) - 1)]
    assert all(one["before"] in kept for one in kept.values() if one["before"])


def test_only_frames_that_are_wanted_are_judged(bench, shot, temporal):
    done = bench.run(shot, temporal(), frames="1005-1006").done
    assert done.judged == 2
