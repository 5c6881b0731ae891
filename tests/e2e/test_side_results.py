"""Foreground colour of a job through a real server: by path and inline, after faults, beside the command."""

import json
import os
import time
from collections import Counter

import numpy as np
import pytest
from videomama_client import submission
from videomama_client.errors import BadInput, NotPermitted, VideoMaMaError
from videomama_client.inline import InlineFrames
from videomama_client.messages import FrameDone, MatteDone, SideDone, SideFrameDone, SideResult
from videomama_client.objects import MaskObject
from videomama_client.stages import Stage
from videomama_server.media import frames

LONG_AGO_S = 60.0


@pytest.fixture
def clip(make_clip):
    """Six frames that are not new, so that they are known by their stat."""
    made = make_clip(count=6)
    for path in made.folder.glob("*.exr"):
        os.utime(path, (time.time() - LONG_AGO_S,) * 2)
    return made


def colour(clip, folder="colour", **asked):
    return (SideResult("foreground", str(clip.folder / folder / "fg.####.exr"), **asked),)


def pixels(clip, folder="colour"):
    return {n: frames.read_plate(clip.folder / folder / f"fg.{n}.exr").pixels.tobytes() for n in clip.numbers}


def test_a_job_has_the_colour_that_the_command_makes_of_its_alphas(server, clip, videomama):
    outcome = server.refine(clip, then=(Stage("classic"),), side_results=colour(clip))
    assert outcome.done.side_results == [SideDone("foreground", 6, 0)]
    out = clip.folder / "command" / "fg.####.exr"
    said = videomama("foreground", "--plate", clip.plate, "--alpha", clip.out, "--out", out)
    assert said.code == 0, said.err
    assert pixels(clip) == pixels(clip, "command")


def test_later_colour_computes_no_alpha_and_a_second_time_no_colour(server, clip):
    chain = {"then": (Stage("classic"),)}
    server.refine(clip, **chain)
    first = server.refine(clip, **chain, side_results=colour(clip))
    assert [stage.computed for stage in first.done.stages] == [0, 0]
    assert first.done.side_results == [SideDone("foreground", 6, 0)]
    made = pixels(clip)
    again = server.refine(clip, **chain, side_results=colour(clip, "again"))
    assert (again.done.computed, again.done.side_results) == (0, [SideDone("foreground", 0, 6)])
    assert pixels(clip, "again") == made
    other = server.refine(clip, then=(Stage("classic"), Stage("adjust")), side_results=colour(clip))
    assert [stage.computed for stage in other.done.stages] == [0, 0, 6]
    assert other.done.side_results == [SideDone("foreground", 6, 0)]
    with server.client() as client:
        report = client.cache_report()
    assert report.entries >= 4 * 6


@pytest.fixture
def pair(clip):
    """Two objects in the clip, each with a mask of its own."""
    for index, number in enumerate(clip.numbers):
        for name, left in (("hero", 12), ("dog", 58)):
            mask = np.zeros((64, 96), np.float32)
            mask[20:44, left + index : left + 24 + index] = 1.0
            frames.write_picture(clip.file(name, number), mask, ("A",), "half")
    for path in clip.folder.glob("*.exr"):
        os.utime(path, (time.time() - LONG_AGO_S,) * 2)
    return tuple(MaskObject(name, str(clip.folder / f"{name}.####.exr")) for name in ("hero", "dog"))


def colour_of_each(clip, folder="colour"):
    return (SideResult("foreground", str(clip.folder / folder / "{object}" / "fg.####.exr")),)


@pytest.mark.parametrize("out", ["alpha.####.exr", "{object}/alpha.####.exr"])
def test_each_object_has_the_colour_of_its_own_alpha(server, clip, pair, videomama, out):
    order = {"mask": "", "objects": pair, "roi": "0,0,96,64", "out": str(clip.folder / "both" / out)}
    outcome = server.refine(clip, **order, side_results=colour_of_each(clip))
    assert outcome.done.side_results == [SideDone("foreground", 6, 0, "hero"), SideDone("foreground", 6, 0, "dog")]
    for name in ("hero", "dog"):
        alpha = order["out"].replace("{object}", name)
        channel = [] if "{object}" in out else ["--alpha-channel", f"{name}.A"]
        command = clip.folder / "command" / name / "fg.####.exr"
        said = videomama("foreground", "--plate", clip.plate, "--alpha", alpha, "--out", command, *channel)
        assert said.code == 0, said.err
        assert pixels(clip, f"colour/{name}") == pixels(clip, f"command/{name}")
    assert pixels(clip, "colour/hero") != pixels(clip, "colour/dog")
    again = server.refine(clip, **order, side_results=colour_of_each(clip, "again"))
    assert [(one.computed, one.cached) for one in again.done.objects] == [(0, 6), (0, 6)]
    assert again.done.side_results == [SideDone("foreground", 0, 6, "hero"), SideDone("foreground", 0, 6, "dog")]
    assert pixels(clip, "again/dog") == pixels(clip, "colour/dog")


def test_a_colour_that_fails_keeps_the_alphas_and_the_other_objects_colour(server, clip, pair):
    (clip.folder / "colour" / "hero" / "fg.1002.exr").mkdir(parents=True)  # no file can take its place
    order = {"mask": "", "objects": pair, "out": str(clip.folder / "{object}" / "alpha.####.exr")}
    with pytest.raises(VideoMaMaError, match=r"hero.*foreground.*1002|foreground.*1002.*hero") as refused:
        server.refine(clip, **order, side_results=colour_of_each(clip))
    assert "All alphas are done; foreground frames 1002 are not." in refused.value.hint
    assert all((clip.folder / name / f"alpha.{n}.exr").is_file() for name in ("hero", "dog") for n in clip.numbers)
    assert len(pixels(clip, "colour/dog")) == 6


def test_the_command_sends_inline_objects_and_gets_the_colour_of_each(server, clip, pair, videomama):
    words = ["--connection-file", str(server.connection_file), "--transport", "inline", "--engine", "passthrough"]
    words += [word for one in pair for word in ("--object", f"{one.name}={one.mask}")]
    words += ["--plate", clip.plate, "--out", str(clip.folder / "both" / "alpha.####.exr")]
    said = videomama("matte", *words, "--foreground", str(clip.folder / "colour" / "{object}" / "fg.####.exr"))
    assert said.code == 0, said.err
    assert "foreground of hero: 6 computed, 0 cached" in said.out
    assert "foreground of dog: 6 computed, 0 cached" in said.out
    assert pixels(clip, "colour/hero") != pixels(clip, "colour/dog")


def test_an_inline_job_sends_its_colour_back(server, clip, videomama):
    words = ["--connection-file", str(server.connection_file), "--foreground", str(clip.folder / "colour/fg.####.exr")]
    said = videomama(*clip.flags(*words, "--transport", "inline"))
    assert said.code == 0, said.err
    assert "foreground: 6 computed, 0 cached" in said.out
    sent = pixels(clip)
    for path in (clip.folder / "colour").iterdir():
        path.unlink()
    told = json.loads(videomama(*clip.flags(*words, "--json")).out)
    assert told["side_results"] == [{"kind": "foreground", "computed": 0, "cached": 6, "object": ""}]
    assert pixels(clip) == sent


def test_cached_colour_of_an_inline_job_is_fetched_without_a_plate(server, clip, tmp_path):
    server.refine(clip, side_results=colour(clip))
    made = pixels(clip)
    files = InlineFrames(*({n: clip.file(role, n) for n in clip.numbers} for role in ("plate", "mask")))
    here = tmp_path / "here"
    here.mkdir()
    with server.client() as client:
        request = clip.order(side_results=colour(clip))
        sides = {"foreground": lambda frame: here / f"fg.{frame}.exr"}
        *_, done = submission.submit(client, request, files, lambda frame: here / f"a.{frame}.exr", sides).events()
    assert done.side_results == [SideDone("foreground", 0, 6)]
    assert {n: frames.read_plate(here / f"fg.{n}.exr").pixels.tobytes() for n in clip.numbers} == made


def test_after_a_killed_worker_nothing_is_made_or_told_twice(start_server, kill_worker, clip):
    server = start_server()
    heard, killed = [], False
    with server.client() as client:
        for event in client.events(client.submit(clip.order(side_results=colour(clip)))):
            heard.append(event)
            if isinstance(event, SideFrameDone) and not killed:
                kill_worker(client)
                killed = True
    done = heard[-1]
    assert isinstance(done, MatteDone)
    assert done.computed == 6
    assert done.side_results[0].computed + done.side_results[0].cached == 6
    for kind in (FrameDone, SideFrameDone):
        assert Counter(event.frame for event in heard if isinstance(event, kind)) == dict.fromkeys(clip.numbers, 1)
    again = server.refine(clip, side_results=colour(clip))
    assert (again.done.computed, again.done.side_results) == (0, [SideDone("foreground", 0, 6)])


def test_a_frame_that_cannot_be_delivered_fails_the_job_after_all_else(server, clip):
    (clip.folder / "colour" / "fg.1002.exr").mkdir(parents=True)
    heard = []
    with server.client() as client:
        job = client.submit(clip.order(side_results=colour(clip)))
        with pytest.raises(NotPermitted, match=r"foreground frame 1002: .*a folder of that name") as raised:
            heard.extend(client.events(job))
    assert (raised.value.role, raised.value.frame) == ("foreground", 1002)
    assert len([event for event in heard if isinstance(event, FrameDone)]) == 6
    assert len([event for event in heard if isinstance(event, SideFrameDone)]) == 5
    assert all(np.isfinite(clip.read_alpha(frame)).all() for frame in clip.numbers)


def test_the_colour_of_one_frame_can_be_fetched(server, clip):
    with server.client() as client:
        job = client.submit(clip.order(side_results=colour(clip)))
        list(client.events(job))
        sent = client.fetch_alpha(job, 1001, "foreground")
        assert sent == (clip.folder / "colour" / "fg.1001.exr").read_bytes()
        with pytest.raises(BadInput, match="frame 1009 of this job is not done"):
            client.fetch_alpha(job, 1009, "foreground")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--foreground-dtype", "half"], "--foreground-dtype is given without --foreground"),
        (["--foreground-premultiplied"], "--foreground-premultiplied is given without --foreground"),
    ],
)
def test_how_without_where_is_refused(clip, videomama, words, said):
    answer = videomama(*clip.flags("--no-start", *words))
    assert answer.code == 2
    assert said in answer.err
