import itertools
import threading
from concurrent.futures import wait
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from videomama_client.errors import BadInput, Cancelled, InternalError, OutOfMemory
from videomama_client.messages import FrameDone, MatteDone, MattePlanned, StageBegun, StageDone, StageFrameDone
from videomama_client.prompts import Prompt
from videomama_server import engines
from videomama_server.config import Config
from videomama_server.engines.base import PROTOCOL, EngineConfig, EngineUsage
from videomama_server.engines.classic.engine import ClassicEngine
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.engines.sequential import PlainSequentialEngine
from videomama_server.media import frames
from videomama_server.media.geometry import Rect
from videomama_server.pipeline.run import Matte
from videomama_server.pipeline.sources import NoMasks
from videomama_server.pipeline.window_grid import lay
from videomama_server.worker.shelf import EngineShelf

CLIP = range(1001, 1015)
ROI = "8,8,48,32"


@pytest.fixture
def stage(temporal):
    """Make engines of one kind under names of their own: `stage("maker")`."""

    def make(name, role="matting", length=4, overlap=2):
        class Named(temporal):
            fingerprint = f"{name}-1"

        Named.name, Named.role = name, role
        return Named(length, overlap)

    return make


@pytest.fixture
def three(stage):
    """Make the engines of a chain of three, which count what they prepare and which windows they see."""
    return lambda: [stage("maker", "maker", 5, 1), stage("matting", "matting", 4, 2), stage("refiner", "refiner", 3, 1)]


@pytest.fixture
def plates_read(monkeypatch):
    """List the plates whose pixels are read."""
    reads = []
    real = frames.read_plate
    monkeypatch.setattr(frames, "read_plate", lambda path, *chosen: (reads.append(path.name), real(path, *chosen))[1])
    return reads


def run(bench, shot, engines, **asked):
    first, *then = engines
    return bench.run(shot, first, then=then, **{"roi": ROI, **asked})


def counts(outcome):
    return [(stage.engine, stage.computed, stage.cached) for stage in outcome.done.stages]


def made_of(engine, wanted, clip=CLIP):
    """Return the frames that the windows of wanted ones hold."""
    laid = lay(range(clip[0], clip[-1] + 1), engine.window.length, engine.window.overlap)
    return sorted({frame for window in laid if set(wanted) & set(window.frames) for frame in window.frames})


def made_into(engines, edited):
    """Return how many frames of each stage depend on some frames of the first stage's masks."""
    found, touched = [], [edited]
    for engine in engines:
        touched.append(made_of(engine, touched[-1]))
        found.append(len(touched[-1]))
    return found


def bits(outcome, numbers):
    return {frame: outcome.alpha(frame).tobytes() for frame in numbers}


def test_the_alpha_of_a_stage_is_the_mask_of_the_next(bench, shot, stage):
    one, other = stage("one"), stage("other", length=6, overlap=1)
    chained = run(bench, shot, [one, other])
    alone = run(bench, shot, [stage("one")])
    for frame in CLIP:
        shot.put_mask(frame, alone.alpha(frame), dtype="float")
    by_hand = run(bench, shot, [stage("other", length=6, overlap=1)])
    for frame in CLIP:
        inside = Rect(8, 8, 48, 32).slices(Rect(0, 0, 64, 48))
        np.testing.assert_array_equal(chained.alpha(frame)[inside], by_hand.alpha(frame)[inside])


def test_a_job_tells_of_each_stage_and_of_its_frames(bench, make_shot):
    shot = make_shot(range(1001, 1004))
    outcome = run(bench, shot, [PassthroughEngine(), PassthroughEngine()])
    kinds = [type(event) for event in outcome.events]
    assert kinds == [MattePlanned, StageBegun, *[StageFrameDone] * 3, StageBegun, *[FrameDone] * 3, MatteDone]
    assert outcome.planned.stages == ["passthrough", "passthrough"]
    begun = [event for event in outcome.events if isinstance(event, StageBegun)]
    assert [(event.stage, event.engine, event.frame_count) for event in begun] == [
        (0, "passthrough", 3),
        (1, "passthrough", 3),
    ]
    plain = [StageDone(one.engine, one.computed, one.cached, one.plan, one.licence) for one in outcome.done.stages]
    assert plain == [StageDone("passthrough", 3, 0), StageDone("passthrough", 3, 0)]
    assert [one.settings.engine for one in outcome.done.stages] == ["passthrough", "passthrough"]


def test_a_job_of_one_stage_tells_of_no_stages_but_in_its_result(bench, shot):
    outcome = run(bench, shot, [PassthroughEngine()])
    assert {type(event) for event in outcome.events} == {MattePlanned, FrameDone, MatteDone}
    assert counts(outcome) == [("passthrough", 14, 0)]


def test_what_a_chain_computed_is_never_computed_again(bench, shot, three, plates_read):
    first = run(bench, shot, three())
    assert counts(first) == [("maker", 14, 0), ("matting", 14, 0), ("refiner", 14, 0)]
    plates_read.clear()
    engines = three()
    again = run(bench, shot, engines)
    assert counts(again) == [("maker", 0, 0), ("matting", 0, 0), ("refiner", 0, 14)]
    assert all(engine.windows == engine.prepared == [] for engine in engines)
    assert plates_read == []
    assert bits(again, CLIP) == bits(first, CLIP)


def test_another_last_stage_computes_that_one_alone(bench, shot, three, stage):
    run(bench, shot, three())
    *kept, _ = three()
    other = run(bench, shot, [*kept, stage("another", "adjustment", 2, 0)])
    assert counts(other) == [("maker", 0, 0), ("matting", 0, 14), ("another", 14, 0)]
    assert all(engine.windows == [] for engine in kept)


def test_another_first_stage_computes_all(bench, shot, three, stage):
    run(bench, shot, three())
    _, *kept = three()
    other = run(bench, shot, [stage("another", "maker", 5, 1), *kept])
    assert counts(other) == [("another", 14, 0), ("matting", 14, 0), ("refiner", 14, 0)]


def test_a_stage_that_is_added_finds_the_alphas_of_the_job_before(bench, shot, stage):
    run(bench, shot, [stage("one")])
    assert counts(run(bench, shot, [stage("one"), stage("two")])) == [("one", 0, 14), ("two", 14, 0)]


@pytest.mark.parametrize("edited", [1001, 1007, 1014])
def test_an_edited_mask_recomputes_what_its_windows_hold_in_every_stage(bench, shot, three, pictures, edited):
    before = run(bench, shot, three())
    shot.put_mask(edited, pictures.disc(30, 20))
    engines = three()
    after = run(bench, shot, engines)
    assert [stage.computed for stage in after.done.stages] == made_into(engines, [edited])
    cold = run(bench, shot, three(), rehash=True)
    assert bits(after, CLIP) == bits(cold, CLIP)
    assert bits(after, CLIP) != bits(before, CLIP)


@pytest.mark.parametrize("wanted", ["1001", "1006-1007", "1003,1012", "1014"])
def test_a_part_has_the_bits_of_the_whole_in_every_stage(make_bench, shot, three, wanted):
    whole, part = make_bench("whole"), make_bench("part")
    full = run(whole, shot, three())
    engines = three()
    some = run(part, shot, engines, frame_ranges=wanted)
    numbers = sorted(some.frames)
    assert bits(some, numbers) == {frame: bits(full, CLIP)[frame] for frame in numbers}
    needed = [numbers]
    for engine in reversed(engines[1:]):
        needed.insert(0, made_of(engine, needed[0]))
    assert [stage.computed for stage in some.done.stages] == [len(frames) for frames in needed]
    entries = {path.name: path.read_bytes() for path in whole.cache.folder.glob("entries/*/*.exr")}
    for path in part.cache.folder.glob("entries/*/*.exr"):  # those of all stages
        np.testing.assert_array_equal(
            frames.read_mask(path, "A").pixels,
            frames.read_mask(whole.cache.folder / path.relative_to(part.cache.folder), "A").pixels,
        )
        assert path.name in entries


def test_only_the_last_stage_is_judged(bench, shot, stage):
    outcome = run(bench, shot, [stage("one"), stage("two")])
    assert outcome.done.judged == 14
    assert len(list(bench.cache.folder.glob("entries/*/*.json"))) == 14
    assert len(list(bench.cache.folder.glob("entries/*/*.exr"))) == 28


def test_later_stages_take_the_region_and_the_colour_of_the_first(bench, shot, stage):
    outcome = run(bench, shot, [stage("one"), stage("two")], roi="auto", colorspace="srgb_texture", mask_grow=3.0)
    engine = stage("two")
    seen = []
    engine.resolve = lambda settings, size: (
        seen.append((settings, size)),
        type(engine).resolve(engine, settings, size),
    )[1]
    run(bench, shot, [stage("one"), engine], roi="auto", colorspace="srgb_texture", mask_grow=3.0)
    ((settings, size),) = seen
    x, y, w, h = outcome.done.roi
    assert (settings.roi, size) == (f"{x},{y},{w},{h}", (h, w))
    assert settings.colorspace == "srgb_texture"
    assert settings.mask_grow == 0.0  # it shaped the mask on disk


def test_a_frame_that_is_empty_stays_empty_but_for_a_maker(bench, make_shot, stage):
    class Full(PassthroughEngine):
        def refine(self, prepared, settings):
            return np.ones((len(prepared), *prepared[0].shape), np.float32)

    shot = make_shot(range(1001, 1004))
    shot.put_mask(1002, np.zeros((48, 64)))
    engine = Full()
    engine.name = engine.fingerprint = "full"
    outcome = run(bench, shot, [PassthroughEngine(), engine])
    assert [outcome.alpha(frame).max() for frame in range(1001, 1004)] == [1, 0, 1]
    engine.role = "maker"
    engine.fingerprint = "full maker"
    outcome = run(bench, shot, [engine, PassthroughEngine()])
    assert [outcome.alpha(frame).max() for frame in range(1001, 1004)] == [1, 1, 1]


def test_an_entry_that_is_removed_while_it_is_needed_is_computed_again(bench, shot, stage):
    class Removing(type(stage("two"))):
        removed = 0

        def refine(self, prepared, settings):
            if not self.removed:
                entries = sorted(bench.cache.folder.glob("entries/*/*.exr"))
                self.removed = len([path.unlink() for path in entries])
            return super().refine(prepared, settings)

    expected = run(bench, shot, [stage("one"), stage("two")])
    wanted = bits(expected, CLIP)
    bench.cache.clear()
    engine = Removing()
    engine.name = "two"
    outcome = run(bench, shot, [stage("one"), engine])
    assert engine.removed
    assert bits(outcome, CLIP) == wanted


def test_entries_that_are_removed_again_and_again_are_an_error_that_says_so(bench, shot, stage, monkeypatch):
    real = bench.cache.lookup

    def lookup(key):  # as if somebody emptied the folder all the time
        found = real(key)
        if found is not None and threading.current_thread() is not threading.main_thread():
            found.unlink()
            return None
        return found

    monkeypatch.setattr(bench.cache, "lookup", lookup)
    with pytest.raises(InternalError, match=r"stage 2, two: .*stage 1, one.* removed from the cache") as caught:
        run(bench, shot, [stage("one"), stage("two")])
    assert caught.value.hint


def test_a_cancelled_chain_keeps_what_it_finished(bench, shot, stage):
    cancelled = threading.Event()

    class Cancelling(type(stage("two"))):
        def refine(self, prepared, settings):
            cancelled.set()
            return super().refine(prepared, settings)

    engine = Cancelling()
    engine.name = "two"
    with pytest.raises(Cancelled):
        run(bench, shot, [stage("one"), engine], cancelled=cancelled)
    assert counts(run(bench, shot, [stage("one"), stage("two")]))[0] == ("one", 0, 14)


def failing(kind, error):
    class Failing(kind):
        def refine(self, prepared, settings):
            raise error

    return Failing()


def test_an_error_names_its_stage(bench, shot, stage):
    engine = failing(type(stage("two")), BadInput("no way", "Do it otherwise."))
    with pytest.raises(BadInput, match=r"^stage 2, two: no way\n"):
        run(bench, shot, [stage("one"), engine])
    engine = failing(type(stage("two")), ValueError("a fault"))
    with pytest.raises(ValueError, match="a fault") as caught:
        run(bench, shot, [stage("one"), engine])
    assert caught.value.__notes__ == ["stage 2, two"]
    engine = failing(type(stage("two")), ValueError("a fault"))
    with pytest.raises(ValueError, match="a fault") as caught:
        run(bench, shot, [engine])
    assert not hasattr(caught.value, "__notes__")


@pytest.fixture
def too_large(stage):
    """Make an engine of a name that runs out of memory once, and then settles for less."""

    def make(name):
        class Large(type(stage(name))):
            canvas = "128x64"

            def resolve(self, settings, size):
                return settings.with_options(canvas=self.canvas)

            def refine(self, prepared, settings):
                if settings.option("canvas") == "128x64":
                    self.canvas = "64x32"
                    raise OutOfMemory("too large", "Less.")
                return super().refine(prepared, settings)

        return Large()

    return make


def test_all_stages_that_were_made_smaller_are_named(bench, shot, too_large):
    warnings = run(bench, shot, [too_large("one"), too_large("two")]).done.warnings
    assert [warning for warning in warnings if "did not fit" in warning] == [
        f"stage {stage}: canvas 128x64 did not fit in memory, 64x32 was taken instead" for stage in ("1, one", "2, two")
    ]


def test_a_stage_that_runs_out_of_memory_is_done_again_smaller_and_the_others_are_not(bench, shot, stage, too_large):
    one, large = stage("one"), too_large("two")
    outcome = run(bench, shot, [one, large, stage("three")])
    assert len(one.windows) == len(lay(range(1001, 1015), 4, 2))
    assert [stage.engine for stage in outcome.done.stages] == ["one", "two", "three"]
    assert "stage 2, two: canvas 128x64 did not fit in memory, 64x32 was taken instead" in outcome.done.warnings


def test_a_stage_that_never_fits_ends_the_job_although_another_forgets_what_was_too_large(bench, shot, stage):
    class Forgetful(type(stage("one"))):
        too_large = False

        def resolve(self, settings, size):
            return settings.with_options(canvas="64x32" if self.too_large else "128x64")

        def refine(self, prepared, settings):
            self.too_large = settings.option("canvas") == "128x64"
            if self.too_large:
                raise OutOfMemory("too large", "Less.")
            return super().refine(prepared, settings)

        def usage(self):
            return "memory"

        def release(self):
            self.too_large = False

    class Never(type(stage("two"))):
        needs_device = True
        tries = 0

        def refine(self, prepared, settings):
            self.tries += 1
            assert self.tries < 5, "it is tried again and again"
            raise OutOfMemory("it never fits", "Less.")

    never = Never()
    with pytest.raises(OutOfMemory, match=r"^stage 2, two: it never fits\n"):
        run(bench, shot, [Forgetful(), never])


class Network(PassthroughEngine):
    """Holds memory of a card from its first window until it lets go, and counts how often it is loaded."""

    needs_device = True
    BYTES = 4

    def __init__(self, name, card):
        self.name = self.fingerprint = name
        self.card, self.loads = card, 0

    def fits(self, settings):
        return sum(self.card.values()) - self.card.get(self.name, 0) + self.BYTES <= self.card.size

    def refine(self, prepared, settings):
        self.loads += self.name not in self.card
        self.card[self.name] = self.BYTES
        assert sum(self.card.values()) <= self.card.size, "more than fits"
        return super().refine(prepared, settings)

    def usage(self):
        return EngineUsage("card", "fp16", self.card[self.name], None) if self.name in self.card else None

    def release(self):
        self.card.pop(self.name, None)


class Card(dict):
    """What each engine holds of a card of a size."""

    def __init__(self, size):
        self.size = size


@pytest.fixture
def on_card(bench, make_shot, tmp_path, monkeypatch):
    """Run chains of engines that share a card: `on_card(size)` gives the engines by name, the card, and what runs."""

    def make(size):
        card, shelf = Card(size), EngineShelf(Config(), tmp_path / "folded", lambda _: None)
        known = {name: Network(name, card) for name in ("one", "two", "three")}
        monkeypatch.setattr(engines, "identity", lambda name, _: name)
        monkeypatch.setattr(engines, "load", lambda name, _: known[name])
        shots = (make_shot(range(start, start + 6), name=f"shot{start}") for start in itertools.count(1001, 10))

        def chain(*names, shot=None):
            loaded = [shelf.engine(name, EngineConfig.of(Config())) for name in names]
            order = bench.order(shot or next(shots), loaded[0], then=loaded[1:])
            order = replace(order, make_room=shelf.make_room, reserve=shelf.reserve)
            for pause in Matte(order, bench.services, bench.events.append, threading.Event()).run():
                wait([pause] if pause else [])

        return known, card, chain

    return make


def test_two_networks_stay_on_a_card_that_holds_both(on_card):
    known, card, chain = on_card(8)
    for _ in range(3):
        chain("one", "two")
    assert (known["one"].loads, known["two"].loads) == (1, 1)
    assert set(card) == {"one", "two"}


def test_two_networks_take_turns_on_a_card_that_holds_one(on_card):
    known, card, chain = on_card(7)
    for _ in range(3):
        chain("one", "two")
    assert (known["one"].loads, known["two"].loads) == (3, 3)
    assert set(card) == {"two"}


def test_the_network_that_was_used_least_recently_lets_go(on_card):
    known, card, chain = on_card(8)
    chain("one", "two")
    chain("one")
    chain("three")
    assert set(card) == {"one", "three"}
    chain("one", "three")
    assert [known[name].loads for name in ("one", "two", "three")] == [1, 1, 1]


def test_a_network_that_cannot_tell_what_it_needs_has_the_card_for_itself(on_card, monkeypatch):
    monkeypatch.delattr(Network, "fits")
    known, card, chain = on_card(100)
    for _ in range(2):
        chain("one", "two")
        assert set(card) == {"two"}
    assert known["one"].loads == known["two"].loads == 2


def test_what_is_cached_needs_no_card_and_has_nobody_let_go(on_card, make_shot):
    known, card, chain = on_card(7)
    shot = make_shot(range(1001, 1007))
    chain("one", shot=shot)
    chain("two")
    chain("one", shot=shot)
    assert known["one"].loads == 1
    assert set(card) == {"two"}


class Painting(PassthroughEngine):
    """Makes masks of the plate alone."""

    name = fingerprint = "painting"
    role = "maker"

    def prepare(self, frame, settings):
        return (frame.plate[..., 0] > 0.5).astype(np.float32)


def test_a_maker_needs_no_mask_and_sees_the_whole_plate(bench, make_shot):
    shot = make_shot(range(1001, 1004))
    order = bench.order(shot, Painting(), then=[PassthroughEngine()])
    order = replace(order, reader=order.reader.over(NoMasks(order.reader.plate)))
    for pause in Matte(order, bench.services, bench.events.append, threading.Event()).run():
        wait([pause] if pause else [])
    done = bench.events[-1]
    assert done.roi == [0, 0, 64, 48]
    assert [(stage.engine, stage.computed) for stage in done.stages] == [("painting", 3), ("passthrough", 3)]
    assert (done.judged, done.warnings) == (3, [])
    (path,) = [event.path for event in bench.events if isinstance(event, FrameDone) and event.frame == 1002]
    alpha = frames.read_mask(Path(path), "A").pixels
    assert 0 < alpha.mean() < 1
    assert not (alpha % 1).any()


def test_the_alphas_of_a_maker_without_masks_are_not_judged(bench, make_shot):
    order = bench.order(make_shot(range(1001, 1004)), Painting())
    order = replace(order, reader=order.reader.over(NoMasks(order.reader.plate)))
    for _ in range(2):
        for pause in Matte(order, bench.services, bench.events.append, threading.Event()).run():
            wait([pause] if pause else [])
        done = bench.events[-1]
        assert (done.judged, done.flags, done.warnings) == (0, [], [])
    assert (done.computed, done.cached) == (0, 3)


class Boxed(PlainSequentialEngine):
    """A maker that walks: its mask is the box, which moves two columns a frame; nothing from frame 1012 on."""

    name, protocol, fingerprint, prompts, keep_every = "boxed", PROTOCOL, "boxed-1", ("box",), 4

    def __init__(self):
        self.steps = []

    def encode(self, frame, settings):
        return frame.plate.shape[:2]

    def begin(self, brief, settings):
        return {"box": np.array(brief.prompts[0].box, np.int64), "start": np.array(brief.start)}

    def step(self, state, number, encoded, settings):
        self.steps.append(number)
        mask = np.zeros(encoded, np.float32)
        left, top, right, bottom = state["box"].tolist()
        by = 2 * abs(number - int(state["start"]))
        mask[top:bottom, left + by : right + by] = number < 1012
        return mask

    def export(self, state):
        return dict(state)

    def restore(self, kept, brief, settings):
        return dict(kept)


BOX = Prompt("box", 1001, (16.0, 16.0, 8.0, 8.0))


@pytest.fixture
def prompted(bench, shot):
    """Run jobs that begin with a maker from a box: `prompted(maker, later engines)`."""

    def run(maker, *then, prompts=(BOX,), **asked):
        return bench.run(shot, maker, then=then, **{"mask": "", "roi": "auto", "prompts": prompts, **asked})

    return run


def test_the_region_is_found_from_what_a_maker_made(prompted, temporal):
    maker, engine = Boxed(), temporal()
    made = prompted(maker, engine)
    x, y, width, height = made.done.roi
    assert made.planned.roi == made.done.roi != [0, 0, 64, 48]
    assert (x, y) <= (16, 16)
    assert x + width >= 16 + 8 + 20
    assert y + height >= 24
    assert [(stage.engine, stage.computed) for stage in made.done.stages] == [("boxed", 14), ("temporal", 14)]
    assert any("boxed are empty on frames 1012-1014; alpha is 0 there" in warning for warning in made.done.warnings)
    assert not made.alpha(1013).any()


def test_all_that_is_needed_of_a_makers_masks_is_known_without_them(prompted, temporal, bench, monkeypatch):
    first = prompted(Boxed(), temporal())
    for entry in bench.cache.folder.glob("entries/*/*.exr"):
        if entry.read_bytes() not in {path.read_bytes() for path in (bench.folder / "out1").iterdir()}:
            entry.unlink()
    monkeypatch.setattr(frames, "read_plate", None)
    maker, engine = Boxed(), temporal()
    again = prompted(maker, engine)
    assert (again.done.computed, again.done.cached) == (0, 14)
    assert again.done.roi == first.done.roi
    assert maker.steps == engine.windows == []
    assert bits(again, CLIP) == bits(first, CLIP)


def test_a_part_that_names_the_region_has_the_bits_of_the_whole(prompted, temporal, make_bench, shot):
    whole = prompted(Boxed(), temporal())
    maker = Boxed()
    asked = {"roi": ",".join(map(str, whole.done.roi)), "frame_ranges": "1006-1007", "prompts": (BOX,), "mask": ""}
    part = make_bench().run(shot, maker, then=[temporal()], **asked)
    assert bits(part, [1006, 1007]) == bits(whole, [1006, 1007])
    assert maker.steps == list(range(1001, 1010))


def test_other_prompts_compute_all_after_them_and_another_last_stage_only_itself(prompted, temporal, stage):
    maker = Boxed()
    prompted(maker, temporal(), stage("refiner", "refiner"))
    maker.steps.clear()
    other = prompted(maker, temporal(), stage("another", "refiner"))
    assert [one.computed for one in other.done.stages] == [0, 0, 14]
    assert maker.steps == []
    moved = replace(BOX, place=(18.0, 16.0, 8.0, 8.0))
    assert [one.computed for one in prompted(maker, temporal(), prompts=(moved,)).done.stages] == [14, 14]


def test_masks_that_a_maker_made_of_nothing_are_an_error_that_names_it(prompted, temporal):
    with pytest.raises(BadInput, match=r"stage 2, temporal: the alphas of stage 1, boxed are empty on all frames"):
        prompted(Boxed(), temporal(1, 0), frame_ranges="1012-1014")


def test_how_good_a_makers_masks_are_is_asked_of_the_plate(prompted, make_bench, shot):
    maker = Boxed()
    part = prompted(maker, ClassicEngine(), frame_ranges="1001")
    assert {1002, 1005, 1008, 1010, 1013} <= set(maker.steps)  # the fixed places of the clip
    whole = make_bench().run(shot, Boxed(), then=[ClassicEngine()], mask="", roi="auto", prompts=(BOX,))
    pinned = ",".join(map(str, whole.done.roi))
    again = make_bench().run(shot, Boxed(), then=[ClassicEngine()], mask="", roi=pinned, prompts=(BOX,))
    assert bits(again, [1001]) == bits(whole, [1001])
    assert part.done.frame_count == 1


def test_a_maker_that_runs_out_of_memory_starts_over_before_anything_else(prompted, temporal):
    class Tight(Boxed):
        def step(self, state, number, encoded, settings):
            if number == 1005 and self.steps.count(1005) == 0:
                self.steps.append(number)
                raise OutOfMemory("full", "")
            return super().step(state, number, encoded, settings)

        def resolve(self, settings, size):
            return super().resolve(replace(settings, exposure=settings.exposure + (1005 in self.steps)), size)

    made = prompted(Tight(), temporal())
    assert [stage.computed for stage in made.done.stages] == [14, 14]
    assert any("exposure" in warning for warning in made.done.warnings)
