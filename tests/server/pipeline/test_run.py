import errno
import gc
import itertools
import threading
import weakref
from concurrent.futures import wait
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from videomama_client.errors import BadInput, Cancelled, OutOfMemory
from videomama_client.messages import FrameDone, MatteDone, MattePlanned
from videomama_server.cache.memo import Facts, FileId
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.media import frames
from videomama_server.media.channels import ChannelChoice
from videomama_server.media.color import display_transform
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.pipeline.run import Matte
from videomama_server.pipeline.window_grid import Window, blend_weights, lay
from videomama_server.qc import scores

FULL = Rect(0, 0, 64, 48)
CLIP = range(1001, 1015)
PASSTHROUGH = PassthroughEngine()


@pytest.fixture
def short(make_shot):
    return make_shot(range(1001, 1005), "short")


@pytest.fixture
def count_reads(monkeypatch):
    """List the plates whose pixels are read."""
    reads = []
    real = frames.read_plate
    monkeypatch.setattr(frames, "read_plate", lambda path, *chosen: (reads.append(path.name), real(path, *chosen))[1])
    return reads


def windows_of(engine, clip=CLIP):
    return lay(range(clip[0], clip[-1] + 1), engine.window.length, engine.window.overlap)


def depending_on(engine, edited, clip=CLIP):
    """Return the frames that share a window with an edited one."""
    return sorted({frame for window in windows_of(engine, clip) if edited in window.frames for frame in window.frames})


def assert_same(one, other, numbers):
    for frame in numbers:
        np.testing.assert_array_equal(one.alpha(frame), other.alpha(frame))


def test_passthrough_gives_every_mask_back(bench, shot, pictures):
    outcome = bench.run(shot, PASSTHROUGH)
    assert sorted(outcome.frames) == list(CLIP)
    for index, frame in enumerate(CLIP):
        np.testing.assert_array_equal(outcome.alpha(frame), pictures.disc(24 + index, 24))
        assert outcome.geometry(frame) == Geometry(FULL, FULL)


def test_a_job_tells_its_plan_then_every_frame_then_its_result(bench, short):
    outcome = bench.run(short, PASSTHROUGH)
    kinds = [type(event) for event in outcome.events]
    assert kinds == [MattePlanned] + [FrameDone] * 4 + [MatteDone]
    assert (outcome.planned.engine, outcome.planned.frame_count) == ("passthrough", 4)
    assert outcome.planned.out == str(outcome.out / "alpha.####.exr")
    assert outcome.planned.roi == outcome.done.roi
    assert (outcome.done.frame_count, outcome.done.computed, outcome.done.cached) == (4, 4, 0)
    assert outcome.done.seconds > 0
    assert sorted(path.name for path in outcome.out.iterdir()) == [f"alpha.{frame}.exr" for frame in range(1001, 1005)]


def test_what_was_computed_once_is_never_computed_again(bench, shot, temporal, count_reads):
    first = bench.run(shot, temporal())
    count_reads.clear()
    engine = temporal()
    again = bench.run(shot, engine)
    assert engine.windows == engine.prepared == count_reads == []
    assert (again.done.computed, again.done.cached) == (0, len(CLIP))
    assert all(event.cached for event in again.frames.values())
    assert_same(first, again, CLIP)


def test_every_plate_is_read_and_prepared_once(bench, shot, temporal, count_reads):
    engine = temporal()
    bench.run(shot, engine)
    assert sorted(count_reads) == [f"plate.{frame}.exr" for frame in CLIP]
    assert sorted(engine.prepared) == list(CLIP)


def test_memory_does_not_grow_with_the_clip(bench, make_shot, temporal):
    """Counts what the engine prepared and is still alive: a window, what is read ahead and what is being written."""

    masks, alive = [], []

    class Counting(temporal):
        def prepare(self, frame, settings):
            masks.append(weakref.ref(frame.mask))
            return super().prepare(frame, settings)

        def refine(self, prepared, settings):
            alive.append(sum(mask() is not None for mask in masks))
            return super().refine(prepared, settings)

    engine = Counting()
    bench.run(make_shot(range(1001, 1031), "long"), engine, roi="8,8,48,32")
    assert max(alive) <= 3 * engine.window.length


def test_a_cancel_is_seen_in_the_middle_of_a_window(bench, shot, temporal):
    cancelled = threading.Event()

    class Cancelling(temporal):
        def prepare(self, frame, settings):
            cancelled.set()
            return super().prepare(frame, settings)

    engine = Cancelling()
    with pytest.raises(Cancelled):
        bench.run(shot, engine, cancelled=cancelled)
    assert 1 <= len(engine.prepared) <= 2  # of the window's four: one in each reading thread
    assert engine.windows == []


def test_engines_see_whole_windows_in_ascending_order(bench, shot, temporal):
    engine = temporal()
    bench.run(shot, engine)
    assert engine.windows == [tuple(window.frames) for window in windows_of(engine)]


@pytest.mark.parametrize(("length", "overlap"), [(4, 2), (6, 3), (5, 1), (4, 0), (20, 4)])
def test_window_weights_sum_to_one(bench, shot, temporal, length, overlap):
    outcome = bench.run(shot, temporal(length, overlap, constant=0.7), roi="off")
    for frame in CLIP:
        np.testing.assert_allclose(outcome.alpha(frame), 0.7, atol=1e-6)


def test_overlapping_windows_are_cross_faded(bench, shot, temporal, pictures):
    engine = temporal(5, 2)
    outcome = bench.run(shot, engine, roi="off")
    transform = display_transform("lin_rec709", 0.0)
    shown = {frame: transform(pictures.scene(frame)) for frame in CLIP}
    masks = {frame: pictures.disc(24 + index, 24) for index, frame in enumerate(CLIP)}
    laid = windows_of(engine)
    results = {
        window: engine.refine([(frame, masks[frame], shown[frame]) for frame in window.frames], None) for window in laid
    }
    for frame in CLIP:
        shares = blend_weights(laid, frame, 2)
        expected = sum(share * results[window][frame - window.first] for window, share in shares.items())
        np.testing.assert_allclose(outcome.alpha(frame), np.clip(expected, 0, 1), atol=1e-6)


@pytest.mark.parametrize("roi", ["auto", "off"])
@pytest.mark.parametrize("wanted", ["1006-1008", "1001", "1014", "1003,1011"])
def test_a_partial_refine_gives_the_same_bits_in_a_fresh_cache(make_bench, shot, temporal, wanted, roi):
    whole = make_bench().run(shot, temporal(), roi=roi)
    recorded = whole.roi if roi == "auto" else "off"
    partial = make_bench().run(shot, temporal(), roi=recorded, frame_ranges=wanted)
    assert partial.done.computed == len(partial.frames) < len(CLIP)
    assert partial.done.roi == whole.done.roi
    assert_same(whole, partial, partial.frames)


def test_a_partial_refine_reads_only_the_windows_it_needs(bench, shot, temporal):
    engine = temporal()
    bench.run(shot, engine, roi="8,8,48,32", frame_ranges="1006")
    assert engine.windows == [tuple(window.frames) for window in windows_of(engine) if 1006 in window.frames]
    assert sorted(engine.prepared) == depending_on(engine, 1006)


def test_a_partial_refine_after_the_whole_is_found_in_the_cache(bench, shot, temporal):
    whole = bench.run(shot, temporal())
    partial = bench.run(shot, temporal(), roi=whole.roi, frame_ranges="1006-1008")
    assert (partial.done.computed, partial.done.cached) == (0, 3)


def test_the_whole_after_a_partial_refine_computes_only_the_rest(make_bench, shot, temporal):
    whole = make_bench().run(shot, temporal(), roi="8,8,48,32")
    bench = make_bench()
    bench.run(shot, temporal(), roi="8,8,48,32", frame_ranges="1006-1008")
    rest = bench.run(shot, temporal(), roi="8,8,48,32")
    assert rest.computed == [frame for frame in CLIP if not 1006 <= frame <= 1008]
    assert_same(whole, rest, CLIP)


def test_a_longer_clip_keeps_what_its_outermost_windows_do_not_touch(bench, shot, temporal):
    engine = temporal()
    roi = "8,8,48,32"
    bench.run(shot, engine, roi=roi, clip="1001-1012")
    longer = bench.run(shot, temporal(), roi=roi)
    before, after = (windows_of(engine, range(1001, last + 1)) for last in (1012, 1014))
    changed = {frame for window in {*before} ^ {*after} for frame in window.frames}
    assert longer.computed == sorted(changed | {1013, 1014})
    assert longer.done.cached == 14 - len(longer.computed) > 0


@pytest.mark.parametrize("edited", [1001, 1006, 1014])
@pytest.mark.parametrize("role", ["plate", "mask"])
def test_an_edit_recomputes_only_the_frames_of_windows_that_contain_it(
    make_bench, shot, temporal, pictures, role, edited
):
    bench = make_bench()
    recorded = bench.run(shot, temporal()).roi
    if role == "mask":
        shot.put_mask(edited, pictures.disc(30, 22, 5))
    else:
        shot.put_plate(edited, pictures.scene(77))
    engine = temporal()
    again = bench.run(shot, engine, roi=recorded)
    assert again.computed == depending_on(engine, edited)
    assert_same(again, make_bench().run(shot, temporal(), roi=recorded), CLIP)


def test_a_touched_file_with_the_same_pixels_recomputes_nothing(bench, shot, temporal, pictures):
    bench.run(shot, temporal())
    shot.put_plate(1006, pictures.scene(1006), dtype="float", tile=16)
    assert bench.run(shot, temporal()).done.computed == 0


@pytest.mark.parametrize("change", [{"exposure": 1.0}, {"mask_grow": 60.0}, {"window": 3}, {"colorspace": "ACEScg"}])
def test_other_settings_are_other_alphas(bench, short, temporal, change):
    bench.run(short, temporal(), roi="off")
    assert bench.run(short, temporal(), roi="off", **change).done.cached == 0


def test_how_the_mask_channel_was_named_does_not_matter(bench, short):
    bench.run(short, PASSTHROUGH)
    assert bench.run(short, PASSTHROUGH, mask_channel="A", plate_layer="rgba").done.computed == 0


def test_an_empty_mask_gives_an_alpha_of_zero_and_a_warning(bench, shot, temporal):
    shot.put_mask(1006, np.zeros((48, 64)))
    outcome = bench.run(shot, temporal(constant=0.7), roi="off")
    assert not outcome.alpha(1006).any()
    assert outcome.alpha(1007).min() == pytest.approx(0.7, abs=1e-6)
    (warning,) = outcome.done.warnings
    assert "empty on frames 1006" in warning


def test_outside_the_region_alpha_is_zero(bench, shot, temporal):
    outcome = bench.run(shot, temporal(constant=0.7), roi="8,16,48,24")
    inside = np.zeros((48, 64), bool)
    inside[16:40, 8:56] = True
    np.testing.assert_allclose(outcome.alpha(1007)[inside], 0.7, atol=1e-6)
    assert not outcome.alpha(1007)[~inside].any()


def test_a_mask_that_leaves_the_region_passes_there_and_is_a_warning(bench, shot, temporal, pictures):
    mask = pictures.disc(60, 24, 12) * np.float32(0.75)
    shot.put_mask(1006, mask)
    outcome = bench.run(shot, temporal(constant=0.25), roi="8,0,48,48")
    alpha = outcome.alpha(1006)
    np.testing.assert_array_equal(alpha[:, 56:], mask[:, 56:])
    np.testing.assert_allclose(alpha[:, 8:56], 0.25, atol=1e-6)
    assert not outcome.alpha(1007)[:, 56:].any()
    (warning,) = outcome.done.warnings
    assert "leaves the region of interest on frames 1006" in warning


def test_a_region_past_the_plate_is_computed_and_cropped(bench, short, temporal):
    outcome = bench.run(short, temporal(constant=0.7), roi="-16,-16,200,200")
    assert outcome.alpha(1002).shape == (48, 64)
    np.testing.assert_allclose(outcome.alpha(1002), 0.7, atol=1e-6)


@pytest.mark.parametrize("exposure", [0.0, 5.0])
def test_odd_plate_values_never_reach_the_engine(bench, short, temporal, pictures, exposure):
    for frame in range(1001, 1005):
        plate = pictures.scene(frame)
        plate[20, 20:25, frame % 3] = np.nan, np.inf, -np.inf, -7, 60000
        plate[21, 20:25] = np.nan
        short.put_plate(frame, plate)
    outcome = bench.run(short, temporal(), exposure=exposure)
    for frame in range(1001, 1005):
        alpha = outcome.alpha(frame)
        assert np.isfinite(alpha).all()
        assert alpha.min() >= 0
        assert alpha.max() <= 1


@pytest.mark.parametrize(("value", "kept"), [(np.nan, 0), (np.inf, 1), (-3.0, 0), (2.5, 1)])
def test_whatever_an_engine_returns_alpha_is_finite_and_0_to_1(bench, short, temporal, value, kept):
    outcome = bench.run(short, temporal(constant=value), roi="off")
    assert set(np.unique(outcome.alpha(1002))) == {kept}


@pytest.mark.parametrize("scale", [2, 0.5])
def test_a_mask_of_another_size_is_fitted(bench, short, pictures, scale):
    height, width = int(48 * scale), int(64 * scale)
    for frame in range(1001, 1005):
        short.put_mask(frame, pictures.disc(24 * scale, 24 * scale, 8 * scale, height, width))
    outcome = bench.run(short, PASSTHROUGH)
    assert outcome.done.warnings == []
    assert outcome.geometry(1001) == Geometry(FULL, FULL)
    assert np.abs(outcome.alpha(1001) - pictures.disc(24, 24)).mean() < 0.03


def test_a_mask_of_another_aspect_is_an_error_that_names_the_frame(bench, short, pictures, raises_with_hint):
    short.put_mask(1003, pictures.disc(24, 24, 8, 64, 64))
    with raises_with_hint(BadInput, "mask frame 1003", "64x64", "64x48"):
        bench.run(short, PASSTHROUGH)


def test_a_plate_of_another_size_is_an_error_that_names_the_frame(bench, short, pictures, raises_with_hint):
    short.put_plate(1003, pictures.scene(1, 32, 32))
    with raises_with_hint(BadInput, "plate frame 1003", "32x32"):
        bench.run(short, PASSTHROUGH)


def test_an_unreadable_plate_is_an_error_that_names_it_and_the_frames_before_it_are_kept(
    bench, shot, temporal, raises_with_hint
):
    content = shot.plate_file(1012).read_bytes()
    shot.plate_file(1012).write_bytes(content[: len(content) // 2])
    with raises_with_hint(BadInput, "plate frame 1012", shot.plate_file(1012)):
        bench.run(shot, temporal(), roi="8,8,48,32")
    finished = [event.frame for event in bench.events if isinstance(event, FrameDone)]
    shot.plate_file(1012).write_bytes(content)
    again = bench.run(shot, temporal(), roi="8,8,48,32")
    assert finished
    assert not set(finished) & set(again.computed)


@dataclass
class Still:
    """A plate and a mask of one frame without a number."""

    plate: str
    mask: str


def test_one_still_picture(bench, tmp_path, pictures):
    plate = pictures.write(tmp_path / "plate.exr", pictures.scene(), "RGB")
    mask = pictures.write(tmp_path / "mask.exr", pictures.disc(24, 24), "A")
    outcome = bench.run(Still(str(plate), str(mask)), PASSTHROUGH, out=str(tmp_path / "alpha.exr"))
    assert outcome.frames[1].path == str(tmp_path / "alpha.exr")
    np.testing.assert_array_equal(outcome.alpha(1), pictures.disc(24, 24))


def test_a_cancelled_job_ends_with_the_error_and_keeps_what_was_finished(make_bench, shot, temporal):
    bench, cancelled, engine = make_bench(), threading.Event(), temporal()

    def cancel_after_three_windows():
        for _ in bench.matte(shot, engine, cancelled, roi="8,8,48,32"):
            if len(engine.windows) == 3:
                cancelled.set()

    with pytest.raises(Cancelled) as raised:
        cancel_after_three_windows()
    assert raised.value.hint
    assert len(engine.windows) == 3
    assert not any(isinstance(event, MatteDone) for event in bench.events)
    again = bench.run(shot, temporal(), roi="8,8,48,32")
    assert again.done.cached > 0
    assert_same(again, make_bench().run(shot, temporal(), roi="8,8,48,32"), CLIP)


def test_a_job_cancelled_before_it_began_does_nothing(bench, shot, temporal):
    cancelled, engine = threading.Event(), temporal()
    cancelled.set()
    with pytest.raises(Cancelled):
        bench.run(shot, engine, cancelled=cancelled)
    assert engine.prepared == bench.events == []


@pytest.mark.parametrize("role", ["plate", "mask"])
def test_a_frame_that_changes_while_the_job_runs_is_an_error(bench, shot, temporal, pictures, role, raises_with_hint):
    """Its old pixels are known from an earlier job, so entries would be published under a key that lies."""
    roi = "8,8,48,32"
    bench.run(shot, temporal(), roi=roi)
    steps = bench.matte(shot, temporal(), roi=roi, exposure=1.0)
    while not any(isinstance(event, MattePlanned) for event in bench.events):
        next(steps)
    edited = 1011  # its facts are known by now, and it is beyond what is read ahead
    if role == "plate":
        shot.put_plate(edited, pictures.scene(55))
    else:
        shot.put_mask(edited, pictures.disc(30, 20, 5))
    with raises_with_hint(BadInput, f"{role} frame {edited}: the file changed"):
        list(steps)


def test_rehash_trusts_no_stat(make_bench, short):
    """A file that changed behind an unchanged stat is seen only when its pixels are read."""
    bench = make_bench()
    bench.memo.put(FileId.of(short.plate_file(1002)), ChannelChoice().of_plate, Facts("stale", Geometry(FULL, FULL)))
    first = bench.run(short, PASSTHROUGH)
    assert bench.run(short, PASSTHROUGH).done.computed == 0
    again = bench.run(short, PASSTHROUGH, rehash=True)
    assert again.computed == [1002]
    assert_same(first, again, range(1001, 1005))
    assert bench.run(short, PASSTHROUGH).done.computed == 0


def test_a_damaged_entry_is_computed_again(bench, short, temporal):
    first = bench.run(short, temporal(3, 1))
    alphas = {frame: first.alpha(frame) for frame in range(1001, 1005)}
    delivered = Path(first.frames[1003].path).read_bytes()
    entry = next(path for path in bench.cache.folder.glob("entries/*/*.exr") if path.read_bytes() == delivered)
    content = bytearray(entry.read_bytes())
    content[-100] ^= 1
    entry.write_bytes(content)
    again = bench.run(short, temporal(3, 1))
    assert again.computed == [1003]
    np.testing.assert_array_equal(again.alpha(1003), alphas[1003])


def test_a_full_disk_is_an_error_and_what_was_finished_is_kept(bench, shot, temporal, monkeypatch):
    real, count = frames._write, itertools.count()

    def write_a_few(path, spec, image):
        if next(count) >= 5:
            path.write_bytes(b"half of it")
            raise OSError(errno.ENOSPC, "disk full")
        real(path, spec, image)

    monkeypatch.setattr(frames, "_write", write_a_few)
    with pytest.raises(OSError, match="disk full"):
        bench.run(shot, temporal(), roi="8,8,48,32")
    assert len(list(bench.cache.folder.glob("entries/*/*.exr"))) == 5
    assert list(bench.cache.folder.glob("entries/*/.*")) == []
    monkeypatch.setattr(frames, "_write", real)
    again = bench.run(shot, temporal(), roi="8,8,48,32")
    assert again.done.cached == 5


def test_a_really_full_disk_is_an_error_and_the_job_goes_on_once_there_is_room(make_bench, shot, temporal, small_disk):
    folder = small_disk(1024)
    ballast = folder / "ballast"
    ballast.write_bytes(b"\0" * 960_000)
    bench = make_bench(cache=folder / "cache")
    with pytest.raises(OSError, match=r"disk full|No space"):
        bench.run(shot, temporal(), roi="8,8,48,32")
    ballast.unlink()
    assert bench.cache.verify().removed == 0
    again = bench.run(shot, temporal(), roi="8,8,48,32")
    assert again.done.frame_count == len(CLIP)


def test_a_read_only_cache_serves_what_it_has_and_the_job_still_runs(
    make_bench, shot, temporal, small_disk, make_read_only
):
    folder = small_disk(2048)
    whole = make_bench(cache=folder / "cache").run(shot, temporal(), roi="8,8,48,32", frame_ranges="1001-1005")
    make_read_only(folder)
    bench = make_bench(cache=folder / "cache")
    outcome = bench.run(shot, temporal(), roi="8,8,48,32")
    assert (outcome.done.cached, outcome.done.computed) == (5, len(CLIP) - 5)
    assert_same(whole, outcome, range(1001, 1006))
    assert bench.run(shot, temporal(), roi="8,8,48,32").done.computed == 0


def test_the_cache_is_held_while_a_job_runs_and_freed_however_it_ends(bench, shot, temporal, raises_with_hint):
    steps = bench.matte(shot, temporal())
    while not bench.events:
        next(steps)
    with raises_with_hint(BadInput, bench.cache.folder):
        bench.cache.clear()
    steps.close()
    bench.cache.clear()


def test_two_jobs_taken_in_turns_do_not_disturb_each_other(make_bench, shot, short, temporal):
    alone = [make_bench().run(clip, temporal(), roi="off") for clip in (shot, short)]
    bench = make_bench()
    jobs = []
    for clip in (shot, short):
        steps = bench.matte(clip, temporal(), roi="off")
        jobs.append((steps, bench.events, bench.folder / f"out{bench.runs}"))
    running = [steps for steps, _, _ in jobs]
    while running:
        running = [steps for steps in running if next(steps, "ended") != "ended"]
    for (_, events, _), before in zip(jobs, alone, strict=True):
        assert isinstance(events[-1], MatteDone)
        for event in events:
            if isinstance(event, FrameDone):
                pixels = frames.read_mask(before.out / f"alpha.{event.frame}.exr").pixels
                np.testing.assert_array_equal(frames.read_mask(Path(event.path)).pixels, pixels)


def test_alphas_are_delivered_in_the_format_that_was_asked_for(bench, short, pictures, tmp_path):
    outcome = bench.run(short, PASSTHROUGH, out=str(tmp_path / "png" / "a.%04d.png"), dtype="uint16")
    path = tmp_path / "png" / "a.1001.png"
    assert outcome.frames[1001].path == str(path)
    np.testing.assert_array_equal(frames.read_mask(path).pixels[..., 0], pictures.disc(24, 24))


def test_missing_frames_fail_before_anything_is_computed(bench, shot, temporal, raises_with_hint):
    shot.plate_file(1007).unlink()
    shot.mask_file(1009).unlink()
    engine = temporal()
    with raises_with_hint(BadInput, "plate frames 1007", "mask frames 1009"):
        bench.run(shot, engine)
    assert engine.prepared == bench.events == []


def test_estimates_are_completed_in_groups_each_wanted_frame_once(bench, make_shot, latent):
    engine = latent()
    outcome = bench.run(make_shot(range(1001, 1031), "long"), engine)
    assert sorted(outcome.frames) == list(range(1001, 1031))
    assert [frame for _, wanted in engine.groups for frame in wanted] == list(range(1001, 1031))
    assert all(len(frames) > len(wanted) for frames, wanted in engine.groups)
    assert engine.windows == [tuple(window.frames) for window in lay(range(1001, 1031), 6, 2)]


@pytest.mark.parametrize("wanted", ["1001", "1012-1013", "1030", "1007,1020"])
def test_a_partial_refine_of_an_engine_that_completes_groups_gives_the_same_bits(make_bench, make_shot, latent, wanted):
    shot = make_shot(range(1001, 1031), "long")
    whole = make_bench().run(shot, latent(), roi="8,8,48,32")
    engine = latent()
    part = make_bench().run(shot, engine, frame_ranges=wanted, roi="8,8,48,32")
    assert_same(whole, part, part.frames)
    assert len(engine.windows) <= 6


def test_what_a_group_depends_on_is_in_its_keys(bench, make_shot, latent, pictures):
    shot = make_shot(range(1001, 1031), "long")
    bench.run(shot, latent(), roi="8,8,48,32")
    shot.put_mask(1016, pictures.disc(30, 20))
    engine = latent()
    outcome = bench.run(shot, engine, roi="8,8,48,32")
    edited = {window for window in lay(range(1001, 1031), 6, 2) if 1016 in window.frames}
    assert edited <= {Window(numbers[0], numbers[-1]) for numbers in engine.windows}
    assert 1016 in outcome.computed
    assert 0 < len(outcome.computed) < 24
    again = bench.run(shot, latent(), roi="8,8,48,32")
    assert again.computed == []
    assert_same(outcome, again, outcome.frames)


def test_only_what_is_missing_of_a_group_is_completed(bench, make_shot, latent):
    shot = make_shot(range(1001, 1031), "long")
    first = bench.run(shot, latent(), frame_ranges="1010", roi="8,8,48,32")
    engine = latent()
    whole = bench.run(shot, engine, roi="8,8,48,32")
    assert whole.done.cached == 1
    assert 1010 not in [frame for _, wanted in engine.groups for frame in wanted]
    assert_same(first, whole, [1010])


def test_with_the_region_off_such_an_engine_still_sees_one_rectangle(bench, make_shot, latent):
    assert bench.run(make_shot(range(1001, 1009), "eight"), latent(), roi="off").done.roi == [0, 0, 64, 48]


def test_out_of_memory_begins_anew_with_what_the_engine_settles_for(bench, make_shot, latent):
    shot = make_shot(range(1001, 1021), "twenty")

    class Large(latent):
        canvas = "128x128"

        def resolve(self, settings, size):
            return settings.with_options(canvas=self.canvas)

        def refine(self, prepared, settings):
            if self.canvas == "128x128" and len(self.windows) == 3:
                self.canvas = "64x64"
                raise OutOfMemory("it does not fit", "Take less.")
            return super().refine(prepared, settings)

    outcome = bench.run(shot, Large())
    assert sorted(outcome.frames) == list(range(1001, 1021))
    assert outcome.done.computed == 20
    assert "canvas 128x128 did not fit in memory, 64x64 was taken instead" in outcome.done.warnings
    small = Large()
    small.canvas = "64x64"
    again = bench.run(shot, small)
    assert again.computed == []
    assert_same(outcome, again, outcome.frames)


@pytest.mark.parametrize(("large", "small"), [(512, 256), (None, 256), (512, None)])
def test_what_is_taken_instead_is_named_whatever_setting_it_is(bench, make_shot, latent, large, small):
    class Tiled(latent):
        tile = large

        def resolve(self, settings, size):
            return settings.with_options(tile=self.tile)

        def refine(self, prepared, settings):
            if settings.option("tile") == large:
                self.tile = small
                raise OutOfMemory("it does not fit", "Take less.")
            return super().refine(prepared, settings)

    warnings = bench.run(make_shot(range(1001, 1009), "eight"), Tiled()).done.warnings
    was, now = (value or "the default" for value in (large, small))
    assert [warning for warning in warnings if "did not fit" in warning] == [
        f"tile {was} did not fit in memory, {now} was taken instead"
    ]


def run_with_room(bench, shot, engine, holders):
    """Run a job while so many other engines hold memory; return its outcome and who asked for room."""
    left, asked = list(range(holders)), []

    def make_room(name):
        asked.append(name)
        return bool(left and (left.pop(), 1))

    order = replace(bench.order(shot, engine), make_room=make_room)
    for pause in Matte(order, bench.services, bench.events.append, threading.Event()).run():
        if pause is not None:
            wait([pause])
    return PipelineOutcome(bench.events, asked)


@dataclass
class PipelineOutcome:
    """What a job emitted, and which engines asked for room."""

    events: list
    asked: list

    @property
    def done(self):
        return self.events[-1]


def test_out_of_memory_has_other_engines_let_go_before_less_is_made_of_the_job(bench, make_shot, latent):
    class Large(latent):
        failed = 0

        def resolve(self, settings, size):
            return settings.with_options(canvas="64x64" if self.failed > 2 else "128x128")

        def refine(self, prepared, settings):
            if self.failed < 2 or (self.failed == 2 and settings.option("canvas") == "128x128" and self.stubborn):
                self.failed += 1
                raise OutOfMemory("it does not fit", "Take less.")
            return super().refine(prepared, settings)

        stubborn = False

    outcome = run_with_room(bench, make_shot(range(1001, 1009), "eight"), Large(), holders=2)
    assert outcome.asked == ["latent", "latent"]
    assert outcome.done.computed == 8
    assert not any("canvas" in warning for warning in outcome.done.warnings)
    engine = Large()
    engine.stubborn = True
    outcome = run_with_room(bench, make_shot(range(1011, 1019), "more"), engine, holders=2)
    assert outcome.asked == ["latent"] * 3
    assert any("canvas 128x128 did not fit" in warning for warning in outcome.done.warnings)


def test_out_of_memory_frees_what_the_failed_window_held_before_it_is_tried_again(bench, make_shot, latent):
    class State(list):
        """What an engine prepared of a frame, as something that can be watched."""

    watched: list[weakref.ref[State]] = []
    alive: list[int] = []

    class Large(latent):
        failed = False

        def resolve(self, settings, size):
            if self.failed:
                gc.collect()
                alive.append(sum(state() is not None for state in watched))
            return settings.with_options(canvas="64x64" if self.failed else "128x128")

        def prepare(self, frame, settings):
            state = State(super().prepare(frame, settings))
            watched.append(weakref.ref(state))
            return state

        def refine(self, prepared, settings):
            if not self.failed:
                self.failed = True
                raise OutOfMemory("it does not fit", "Take less.")
            return super().refine(prepared, settings)

    bench.run(make_shot(range(1001, 1009), "eight"), Large())
    assert watched
    assert alive[0] == 0


def test_out_of_memory_is_an_error_where_the_engine_has_nothing_smaller(bench, make_shot, latent):
    class Huge(latent):
        def refine(self, prepared, settings):
            raise OutOfMemory("it does not fit", "Take less.")

    with pytest.raises(OutOfMemory, match="does not fit"):
        bench.run(make_shot(range(1001, 1009), "eight"), Huge())


def test_the_mask_is_closed_and_grown_before_the_engine_sees_it(bench, make_shot):
    shot = make_shot(range(1001, 1003), "two")
    plain = bench.run(shot, PASSTHROUGH, roi="off").alpha(1001)
    grown = bench.run(shot, PASSTHROUGH, roi="off", mask_grow=90.0).alpha(1001)  # three pixels of 64
    assert grown.sum() > plain.sum()
    assert (grown >= plain).all()


TWOS = range(1001, 1020, 2)


@pytest.mark.parametrize("engine", ["temporal", "latent"])
def test_on_twos_a_part_gives_the_same_bits_as_the_whole(make_bench, make_shot, request, engine):
    made, shot = request.getfixturevalue(engine), make_shot(TWOS)
    whole = make_bench("whole").run(shot, made(), clip="1001-1019x2", roi="8,8,48,32")
    part = make_bench("part").run(shot, made(), clip="1001-1019x2", frame_ranges="1007,1011", roi="8,8,48,32")
    assert sorted(whole.frames) == list(TWOS)
    assert_same(whole, part, [1007, 1011])


def test_on_twos_engines_see_the_frames_that_exist(bench, make_shot, temporal):
    engine = temporal()
    bench.run(make_shot(TWOS), engine, clip="1001-1019x2")
    assert engine.windows == [tuple(window.frames) for window in lay(range(1001, 1020, 2), 4, 2)]


def test_a_clip_on_twos_and_one_on_ones_share_no_entry(bench, make_shot, temporal):
    shot = make_shot(range(1001, 1020))
    bench.run(shot, temporal(), roi="8,8,48,32")
    again = bench.run(shot, temporal(), clip="1001-1019x2", roi="8,8,48,32")
    assert again.done.cached == 0
    assert bench.run(shot, temporal(), clip="1001-1019x2", roi="8,8,48,32").done.computed == 0


def test_on_twos_quality_control_compares_neighbours_of_the_clip(bench, make_shot, monkeypatch):
    compared, real = [], scores.measure
    monkeypatch.setattr(
        scores, "measure", lambda now, before: (compared.append(before is not None), real(now, before))[1]
    )
    shot = make_shot(TWOS)
    shot.put_mask(1009, np.zeros((48, 64)))
    for _ in range(2):  # computed, then from the cache
        done = bench.run(shot, PASSTHROUGH, clip="1001-1019x2").done
        assert done.judged == len(TWOS)
        assert [(flag.kind, flag.frame_numbers, flag.worst) for flag in done.flags] == [("mask missed", [1009], 1009)]
    assert sorted(compared) == [False] + [True] * (len(TWOS) - 1)


def test_a_frame_is_read_as_its_link_is_called(bench, make_shot):
    shot = make_shot(range(1001, 1005))
    store = shot.folder / "store"
    store.mkdir()
    for frame in range(1001, 1005):
        for file in (shot.plate_file(frame), shot.mask_file(frame)):
            blob = store / file.name.replace(".", "")
            file.rename(blob)
            file.symlink_to(blob)
    outcome = bench.run(shot, PASSTHROUGH)
    assert outcome.done.frame_count == 4
    assert outcome.alpha(1001).max() == 1
