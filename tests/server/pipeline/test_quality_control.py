"""Flags of a job, computed at once, in parts, or from the cache: through real jobs over a real cache."""

import json

import numpy as np
import pytest
from videomama_client.errors import NotPermitted, OutOfMemory
from videomama_server.media import frames
from videomama_server.pipeline import quality_control, reader

CLIP = range(1001, 1017)
FLUTTER = {f"f{frame}": 0.7 for frame in (1005, 1007, 1009)}


@pytest.fixture
def shot(moving_shot):
    return moving_shot


def told(outcome):
    return [(flag.kind, flag.frame_numbers) for flag in outcome.done.flags]


def notes(bench):
    return sorted(bench.cache.folder.glob("entries/*/*.json"))


def test_a_right_job_has_scores_and_no_flag(bench, shot, spoiling):
    done = bench.run(shot, spoiling()).done
    assert (done.judged, done.flags) == (len(CLIP), [])


@pytest.mark.parametrize("roi", ["off", "auto"])
def test_what_is_wrong_is_flagged(bench, shot, roi, spoiling):
    outcome = bench.run(shot, spoiling(f1008=0.0), roi=roi)
    assert told(outcome) == [("alpha dropped", [1008])]
    (flag,) = outcome.done.flags
    assert (flag.worst, flag.reason) == (1008, "the alpha is gone and the mask is not")


def test_flicker_is_seen_between_frames(bench, shot, spoiling):
    assert ("flicker", list(range(1005, 1011))) in told(bench.run(shot, spoiling(**FLUTTER)))


def test_a_cached_job_has_the_same_flags_and_reads_no_plate(bench, shot, monkeypatch, spoiling):
    first = bench.run(shot, spoiling(**FLUTTER))
    reads = []
    monkeypatch.setattr(frames, "read_plate", lambda path, layer, view: reads.append(path))
    again = bench.run(shot, spoiling(**FLUTTER))
    assert (again.done.computed, reads) == (0, [])
    assert again.done.flags == first.done.flags != []
    assert again.done.judged == len(CLIP)


def test_two_halves_have_the_same_scores_but_for_the_change_where_they_meet(make_bench, shot, judged, spoiling):
    make_bench("whole").run(shot, spoiling(f1004=0.6), roi="off")
    parts = make_bench("parts")
    for half in ("1001-1008", "1009-1016"):
        parts.run(shot, spoiling(f1004=0.6), roi="off", frame_ranges=half)
    assert parts.run(shot, spoiling(f1004=0.6), roi="off").computed == []
    whole, joined = judged[0], judged[-1]
    assert [one.frame for one in joined] == list(CLIP)
    for one, other in zip(whole, joined, strict=True):
        expected = one.by_itself if one.frame == 1009 else one
        kept = ("iou", "mask", "coverage", "outside", "softness", "hole", "alike", "flicker", "gain", "loss")
        assert [getattr(other, name) for name in kept] == [getattr(expected, name) for name in kept]


def test_a_change_from_a_frame_that_is_another_now_is_not_used(bench, shot, judged, spoiling):
    """Only the mask of frame 1005 changes: that one is computed, and 1006 still knows how it followed the old one."""
    bench.run(shot, spoiling(), roi="off")
    rows, columns = np.mgrid[:90, :160].astype(np.float32)
    shot.put_mask(1005, np.clip(27 - np.hypot(columns - 68, rows - 45), 0, 1))
    assert bench.run(shot, spoiling(), roi="off").computed == [1005]
    assert [one.frame for one in judged[-1] if one.flicker is None] == [1001, 1005, 1006]


def failing(real, error, *numbers):
    """Make a function fail for some frames, whose number or `Sight` is its first argument."""

    def work(first, *more):
        if getattr(first, "frame", first) in numbers:
            raise error
        return real(first, *more)

    return work


@pytest.mark.parametrize("error", [ValueError("shapes"), MemoryError(), OutOfMemory("full", "")], ids=repr)
@pytest.mark.parametrize("where", ["sight", "measure"])
def test_frames_that_cannot_be_judged_are_named_and_fail_no_job(
    bench, shot, monkeypatch, caplog, where, error, spoiling
):
    part = quality_control if where == "sight" else quality_control.scores
    with monkeypatch.context() as patch:
        patch.setattr(part, where, failing(getattr(part, where), error, 1003, 1004))
        outcome = bench.run(shot, spoiling(f1008=0.0))
    assert sorted(outcome.frames) == outcome.computed == list(CLIP)
    assert told(outcome) == [("alpha dropped", [1008])]
    assert outcome.done.judged == len(CLIP) - 2
    assert outcome.done.warnings == ["quality control could not judge frames 1003-1004; see the server log"]
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [error, error]
    later = bench.run(shot, spoiling(f1008=0.0)).done
    assert (later.computed, later.judged, later.warnings) == (0, len(CLIP), [])


def test_a_glimpse_that_fails_while_a_frame_is_read_fails_no_job(bench, shot, monkeypatch, spoiling):
    real = reader.glimpse

    def glimpse(plate, mask, to_display):
        if mask[45, 59] == 1 and mask[45, 33] < 1:  # 1003 and what follows
            raise ValueError("shapes")
        return real(plate, mask, to_display)

    monkeypatch.setattr(reader, "glimpse", glimpse)
    done = bench.run(shot, spoiling()).done
    (warning,) = done.warnings
    assert "could not judge frames" in warning
    assert 0 < done.judged < len(CLIP) == done.computed


def test_flags_that_cannot_be_found_fail_no_job(bench, shot, monkeypatch, spoiling):
    def broken(_):
        raise ZeroDivisionError

    monkeypatch.setattr(quality_control.flags, "judge", broken)
    done = bench.run(shot, spoiling()).done
    assert (done.computed, done.judged, done.flags) == (len(CLIP), 0, [])
    assert done.warnings == ["quality control could not judge frames 1001-1016; see the server log"]


@pytest.mark.parametrize("error", [OSError(28, "disk full"), NotPermitted("read-only", ""), RuntimeError("odd")])
def test_scores_that_cannot_be_kept_are_a_warning_and_a_later_run_measures_them(
    bench, shot, monkeypatch, judged, error, spoiling
):
    def full(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(type(bench.cache), "keep_note", full)
        outcome = bench.run(shot, spoiling(f1008=0.0))
    assert told(outcome) == [("alpha dropped", [1008])]
    assert outcome.done.judged == len(CLIP)
    assert outcome.done.warnings == [
        "the scores of frames 1001-1016 could not be kept in the cache; the next run measures them again"
    ]
    assert notes(bench) == []
    later = bench.run(shot, spoiling(f1008=0.0))
    assert (later.done.computed, later.done.judged, later.done.warnings) == (0, len(CLIP), [])
    assert told(later) == told(outcome)
    assert judged[1] == judged[0]
    assert len(notes(bench)) == len(CLIP)


def test_what_is_kept_names_the_frame_before(bench, shot, spoiling):
    bench.run(shot, spoiling())
    kept = {note.name.partition(".")[0]: json.loads(note.read_text().partition("\n")[2]) for note in notes(bench)}
    assert len(kept) == len(CLIP)
    assert sorted(bool(one["before"]) for one in kept.values()) == [False, *[True] * (len(CLIP) - 1)]
    assert all(one["before"] in kept for one in kept.values() if one["before"])


def test_only_frames_that_are_wanted_are_judged(bench, shot, temporal):
    done = bench.run(shot, temporal(), frame_ranges="1005-1006").done
    assert done.judged == 2


def test_a_control_that_begins_again_remembers_nothing(bench, tmp_path):
    control = quality_control.Control(bench.cache)
    control.begin({1001: 1, 1002: 2})
    control.recall(1002, "b", tmp_path / "none.exr")
    control.recall(1001, "a", tmp_path / "none.exr")
    control._unkept.add(1001)
    assert list(control.lacking) == [1001, 1002]
    before = control.expect(1001, "a", None)
    control.begin({1001: 1, 1002: 2})
    assert control.lacking == {}
    assert (control._unkept, control._keys, control._found) == (set(), {}, {})
    assert control.expect(1002, "b", None).before is not before
    assert control.result([1001, 1002]).warnings == [
        "quality control could not judge frames 1001-1002; see the server log"
    ]
