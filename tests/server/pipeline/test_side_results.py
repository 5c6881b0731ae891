"""Side results of a job: made once, kept, delivered, and never in the way of an alpha."""

import errno
import os
import threading
import weakref
from concurrent.futures import wait
from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from videomama_client.errors import BadInput, Cancelled, InternalError, NotPermitted, OutOfMemory
from videomama_client.messages import FrameDone, SideDone, SideFrameDone, SideResult
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.foreground import Colouring, Recolour
from videomama_server.media import frames, sequences
from videomama_server.pipeline import side_results
from videomama_server.pipeline.run import Matte

CLIP = range(1001, 1009)


@pytest.fixture
def shot(make_shot):
    return make_shot(CLIP)


@pytest.fixture
def colour(tmp_path):
    """Ask for the foreground, by default straight half floats in a folder of its own."""

    def ask(folder="colour", ending=".exr", **asked):
        return {"side_results": (SideResult("foreground", str(tmp_path / folder / f"fg.####{ending}"), **asked),)}

    return ask


@pytest.fixture
def made(monkeypatch):
    """List the first value of each plate that a colour is made of."""
    plates = []
    real = Colouring.make

    def make(self, plate, alpha):
        plates.append(plate[0, 0, 0])
        return real(self, plate, alpha)

    monkeypatch.setattr(Colouring, "make", make)
    return plates


def sides(outcome):
    return {event.frame: event for event in outcome.events if isinstance(event, SideFrameDone)}


def pixels(outcome, frame):
    return frames.read_plate(Path(sides(outcome)[frame].path)).pixels


def header(path):
    source = oiio.ImageInput.open(str(path))
    spec = source.spec()
    source.close()
    return spec


@pytest.mark.parametrize("asked", [{}, {"premultiplied": True}, {"dtype": "float"}, {"ending": ".tif"}])
def test_it_is_what_the_command_makes_of_the_same_alphas_bit_for_bit(bench, shot, colour, temporal, tmp_path, asked):
    outcome = bench.run(shot, temporal(), **colour(**asked))
    assert sorted(sides(outcome)) == list(CLIP)
    out = str(tmp_path / "command" / f"fg.####{asked.get('ending', '.exr')}")
    own = {name: value for name, value in asked.items() if name != "ending"}
    job = Recolour(shot.plate, str(outcome.out / "alpha.####.exr"), out, **own)
    job.check()
    job.write(job.find(), lambda _: None)
    for frame in CLIP:
        theirs = sequences.parse(out).path(frame)
        np.testing.assert_array_equal(pixels(outcome, frame), frames.read_plate(theirs).pixels)
        ours, other = header(sides(outcome)[frame].path), header(theirs)
        assert ours.format == other.format
        for name in ("Software", "ImageDescription"):
            assert ours[name] == other[name]
            assert ours[name]


def test_its_geometry_is_the_plate_s_with_overscan(bench, make_shot, colour, pictures, tmp_path):
    shot = make_shot([])
    display, size = (100, 50, 64, 48), (56, 76)
    for number in CLIP:
        where = {"display": display, "origin": (94, 46), "aspect": 2.0}
        shot.put_plate(number, pictures.scene(number, *size), **where)
        shot.put_mask(number, pictures.disc(30, 24, 12, *size), **where)
    outcome = bench.run(shot, PassthroughEngine(), **colour())
    out = tmp_path / "command" / "fg.####.exr"
    job = Recolour(shot.plate, str(outcome.out / "alpha.####.exr"), str(out))
    job.check()
    job.write(job.find(), lambda _: None)
    for number in CLIP:
        spec = header(sides(outcome)[number].path)
        assert (spec.x, spec.y, spec.width, spec.height) == (94, 46, 76, 56)
        assert (spec.full_x, spec.full_y, spec.full_width, spec.full_height) == display
        assert spec.get_float_attribute("PixelAspectRatio") == 2.0
        theirs = frames.read_plate(sequences.parse(str(out)).path(number))
        np.testing.assert_array_equal(pixels(outcome, number), theirs.pixels)


def test_its_header_names_the_colour_space_and_reads_back_as_it(bench, shot, colour):
    outcome = bench.run(shot, PassthroughEngine(), colorspace="ACEScg", **colour())
    path = Path(sides(outcome)[1001].path)
    spec = header(path)
    assert spec["colorInteropID"] == "lin_ap1_scene"
    assert "linear light in ACEScg" in spec["ImageDescription"]
    assert spec["Software"].startswith("VideoMaMa bridge ")
    assert spec.channelnames == ("R", "G", "B")
    assert frames.probe_plate(path).declared.names == ("lin_ap1_scene", "lin_ap1")


def test_each_comes_after_its_alpha_and_is_counted(bench, shot, colour):
    outcome = bench.run(shot, PassthroughEngine(), **colour())
    told = [(type(event), event.frame) for event in outcome.events if isinstance(event, (FrameDone, SideFrameDone))]
    assert all(told.index((FrameDone, frame)) < told.index((SideFrameDone, frame)) for frame in CLIP)
    assert outcome.done.side_results == [SideDone("foreground", len(CLIP), 0)]


def test_a_second_run_makes_neither_alphas_nor_colour_and_opens_no_plate(bench, shot, colour, temporal, made):
    first = bench.run(shot, temporal(), **colour())
    made.clear()
    for frame in CLIP:  # plates that cannot be read, though their stat is the same
        path = shot.plate_file(frame)
        stat = path.stat()
        path.write_bytes(bytes(stat.st_size))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    engine = temporal()
    again = bench.run(shot, engine, **colour("again"))
    assert engine.windows == made == []
    assert (again.done.computed, again.done.side_results) == (0, [SideDone("foreground", 0, len(CLIP))])
    assert all(event.cached for event in sides(again).values())
    for frame in CLIP:
        np.testing.assert_array_equal(pixels(first, frame), pixels(again, frame))


def test_colour_that_is_asked_for_later_computes_no_alpha(bench, shot, colour, temporal):
    bench.run(shot, temporal())
    engine = temporal()
    later = bench.run(shot, engine, **colour())
    assert engine.windows == []
    assert (later.done.computed, later.done.side_results) == (0, [SideDone("foreground", len(CLIP), 0)])


def test_another_last_stage_makes_its_own_colour(bench, shot, colour, temporal):
    class Other(PassthroughEngine):
        name, fingerprint = "other", "other-1"

        def refine(self, prepared, settings):
            return super().refine(prepared, settings) * np.float32(0.5)

    asked = {"roi": "8,8,48,32", **colour()}
    one = bench.run(shot, temporal(), then=(PassthroughEngine(),), **asked)
    other = bench.run(shot, temporal(), then=(Other(),), **asked)
    assert [stage.computed for stage in other.done.stages] == [0, len(CLIP)]
    assert other.done.side_results == [SideDone("foreground", len(CLIP), 0)]
    again = bench.run(shot, temporal(), then=(PassthroughEngine(),), **asked)
    assert again.done.side_results == [SideDone("foreground", 0, len(CLIP))]
    assert [stage.computed for stage in one.done.stages] == [len(CLIP)] * 2


@pytest.mark.parametrize("change", [{"premultiplied": True}, {"dtype": "float"}])
def test_what_changes_its_pixels_is_another_entry(bench, shot, colour, change):
    bench.run(shot, PassthroughEngine(), **colour())
    other = bench.run(shot, PassthroughEngine(), **colour(**change))
    assert other.done.side_results == [SideDone("foreground", len(CLIP), 0)]


def test_a_part_has_the_bits_of_the_whole(make_bench, shot, colour, temporal):
    asked = {"roi": "8,8,48,32"}
    whole = make_bench().run(shot, temporal(), **asked, **colour("whole"))
    part = make_bench().run(shot, temporal(), frame_ranges="1003-1004", **asked, **colour("part"))
    assert sorted(sides(part)) == [1003, 1004]
    for frame in (1003, 1004):
        np.testing.assert_array_equal(pixels(part, frame), pixels(whole, frame))


def test_a_frame_that_fails_loses_neither_its_alpha_nor_the_others(bench, shot, colour, tmp_path, raises_with_hint):
    (tmp_path / "colour" / "fg.1003.exr").mkdir(parents=True)
    (tmp_path / "colour" / "fg.1005.exr").mkdir(parents=True)
    with raises_with_hint(NotPermitted, "foreground frame 1003: ", "fg.1003.exr", "folder of that name") as raised:
        bench.run(shot, PassthroughEngine(), **colour())
    error = raised.info.value
    assert (error.role, error.frame) == ("foreground", 1003)
    assert "foreground frames 1003, 1005 are not" in error.hint
    assert sorted(event.frame for event in bench.events if isinstance(event, FrameDone)) == list(CLIP)
    done = [event.frame for event in bench.events if isinstance(event, SideFrameDone)]
    assert sorted(done) == [frame for frame in CLIP if frame not in (1003, 1005)]
    for frame in (1003, 1005):
        (tmp_path / "colour" / f"fg.{frame}.exr").rmdir()
    again = bench.run(shot, PassthroughEngine(), **colour())
    assert again.done.side_results == [SideDone("foreground", 0, len(CLIP))]  # it was made, and could not be delivered


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (OSError(errno.ENOSPC, "full"), NotPermitted, "no space is left"),
        (MemoryError(), OutOfMemory, "does not fit in memory"),
        (ZeroDivisionError("nothing"), InternalError, "ZeroDivisionError: nothing"),
    ],
)
def test_whatever_goes_wrong_names_the_frame_and_holds_on_to_no_pixels(
    bench, shot, colour, monkeypatch, raises_with_hint, error, kind, said
):
    held = []

    def fail(_, plate, alpha):
        held.append(weakref.ref(plate))
        raise type(error)(*error.args)

    monkeypatch.setattr(Colouring, "make", fail)
    monkeypatch.setattr(side_results.log, "disabled", True)  # its records, which pytest keeps, have tracebacks
    with raises_with_hint(kind, "foreground frame 1001: ", said):
        bench.run(shot, PassthroughEngine(), **colour())
    assert len(held) == len(CLIP)
    assert all(plate() is None for plate in held)


def test_a_plate_that_cannot_be_read_any_more_is_named(bench, shot, colour, raises_with_hint):
    bench.run(shot, PassthroughEngine())
    path = shot.plate_file(1002)
    stat = path.stat()
    path.write_bytes(bytes(stat.st_size))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with raises_with_hint(BadInput, "plate frame 1002: cannot read"):
        bench.run(shot, PassthroughEngine(), **colour())
    assert len([event for event in bench.events if isinstance(event, SideFrameDone)]) == len(CLIP) - 1


def test_alphas_that_are_made_again_after_running_out_of_memory_give_the_colour(bench, shot, colour, temporal):
    class Failing(temporal):
        failures = 0

        def refine(self, prepared, settings):
            if self.failures == 0 and prepared[0][0] > 1001:
                self.failures += 1
                raise OutOfMemory("no room", "Less.")
            return super().refine(prepared, settings)

    order = replace(bench.order(shot, Failing(), roi="8,8,48,32", **colour()), make_room=lambda _: True)
    for pause in Matte(order, bench.services, bench.events.append, threading.Event()).run():
        if pause is not None:
            wait([pause])
    done = [event.frame for event in bench.events if isinstance(event, SideFrameDone)]
    assert set(done) == set(CLIP)
    assert bench.events[-1].side_results[0].computed == len(CLIP)


def test_no_more_frames_are_in_memory_than_threads(bench, make_shot, colour, monkeypatch):
    clip = range(1001, 1041)
    alive, most = set(), []
    real, lock = Colouring.make, threading.Lock()

    def make(self, plate, alpha):
        with lock:
            alive.add(id(plate))
            most.append(len(alive))
        try:
            return real(self, plate, alpha)
        finally:
            alive.discard(id(plate))

    monkeypatch.setattr(Colouring, "make", make)
    monkeypatch.setattr(side_results, "_AT_ONCE", 2)
    reads = []
    real_read = frames.read_plate
    monkeypatch.setattr(frames, "read_plate", lambda *which: reads.append(which) or real_read(*which))
    bench.run(make_shot(clip, "long"), PassthroughEngine(), **colour())
    assert max(most) <= 2
    assert len(reads) == 2 * len(clip)  # for the alpha, and for the colour


def test_a_job_that_is_cancelled_ends_without_waiting_for_all(bench, make_shot, colour, monkeypatch):
    cancelled, real = threading.Event(), Colouring.make

    def make(self, plate, alpha):
        cancelled.set()
        return real(self, plate, alpha)

    monkeypatch.setattr(Colouring, "make", make)
    with pytest.raises(Cancelled):
        bench.run(make_shot(range(1001, 1061), "long"), PassthroughEngine(), cancelled=cancelled, **colour())
    assert len([event for event in bench.events if isinstance(event, SideFrameDone)]) < 10


def test_tasks_that_wait_when_the_job_stops_are_waited_for_by_nobody(bench, shot, colour, take):
    cancelled = threading.Event()
    order = bench.order(shot, PassthroughEngine(), **colour())
    made = side_results.SideResults(order, bench.services, bench.events.append, cancelled)
    made.begin(replace(order.request.settings, colorspace="lin_rec709"))
    cancelled.set()
    made.follow(1001, "0" * 40, shot.mask_file(1001))
    with pytest.raises(Cancelled):
        take(made.finish())
    made.close()
    assert bench.events == []


def test_nothing_is_begun_after_the_end(bench, shot, colour, take):
    order = bench.order(shot, PassthroughEngine(), **colour())
    made = side_results.SideResults(order, bench.services, bench.events.append, threading.Event())
    made.begin(replace(order.request.settings, colorspace="lin_rec709"))
    made.close()
    made.follow(1001, "0" * 40, shot.mask_file(1001))
    take(made.finish())
    assert bench.events == []


def test_a_single_file_for_many_frames_is_refused(bench, shot, tmp_path, raises_with_hint):
    asked = (SideResult("foreground", str(tmp_path / "fg.exr")),)
    with raises_with_hint(BadInput, "fg.exr is a single file, and 8 frames are wanted"):
        bench.run(shot, PassthroughEngine(), side_results=asked)
