"""A shot is finished only where its files are there, its inputs are the same, and it is asked for as before."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from videomama_client.settings import MatteSettings
from videomama_server.batch.finished import is_finished
from videomama_server.submission import Submission, input_stamp


@pytest.fixture
def done(make_clip):
    """A job whose alphas, and the file that tells of it, are there."""
    clip = make_clip(count=3)
    order = Submission(clip.plate, clip.mask, clip.out, MatteSettings(), asked="as now")
    (clip.folder / "out").mkdir()
    for frame in clip.numbers:
        clip.alpha_file(frame).touch()
    made = {"asked": "as now", "files": input_stamp(order)}
    (clip.folder / "out" / "job.json").write_text(json.dumps({"out": clip.out, "made": made}))
    return clip, order


def finished(clip, order, *more):
    return is_finished(order, list(clip.numbers), [clip.out, *more])


def test_what_is_done_is_finished(done):
    assert finished(*done)


def test_another_wish_is_not(done):
    clip, order = done
    assert not finished(clip, replace(order, asked="otherwise"))
    assert not finished(clip, replace(order, asked=""))


@pytest.mark.parametrize(
    "change",
    [
        lambda clip: clip.alpha_file(1002).unlink(),
        lambda clip: (clip.folder / "out" / "job.json").unlink(),
        lambda clip: (clip.folder / "out" / "job.json").write_text("{"),
        lambda clip: (clip.folder / "out" / "job.json").write_text(json.dumps({"out": clip.out, "made": 3})),
        lambda clip: os.utime(clip.file("mask", 1002), (1, 1)),
        lambda clip: clip.file("plate", 1003).write_bytes(b"longer" * 9999),
        lambda clip: clip.file("plate", 1002).unlink(),
        lambda clip: os.link(clip.file("plate", 1001), clip.file("plate", 1009)),
        lambda clip: [clip.file("plate", frame).unlink() for frame in clip.numbers],
    ],
)
def test_a_change_of_files_makes_it_unfinished(done, change):
    clip, order = done
    change(clip)
    assert not finished(clip, order)


def test_what_else_it_writes_must_be_there_too(done):
    clip, order = done
    holes = str(clip.folder / "holes.####.png")
    assert not finished(clip, order, holes)
    for frame in clip.numbers:
        Path(holes.replace("####", str(frame))).touch()
    assert finished(clip, order, holes)


def test_the_file_of_another_output_in_the_same_folder_does_not_count(done):
    clip, order = done
    other = clip.out.replace("alpha.", "beta.")
    for frame in clip.numbers:
        Path(other.replace("####", str(frame))).touch()
    assert not is_finished(replace(order, out=other), list(clip.numbers), [other])
