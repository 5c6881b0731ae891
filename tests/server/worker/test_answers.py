import math
import queue
import threading
from dataclasses import replace

import pytest
from videomama_client import messages, wire
from videomama_client.engine_options import EngineOption
from videomama_client.engine_settings import RECORDS
from videomama_client.errors import BadInput, WeightsError
from videomama_client.prompts import Prompt
from videomama_client.setting_spec import specs_of
from videomama_client.settings import MatteSettings
from videomama_client.stages import ADJUSTMENT, MAKER, MATTING, REFINER, Stage
from videomama_server import engines, pipe
from videomama_server.cache import layout
from videomama_server.cache.entries import Cache
from videomama_server.cache.upkeep import CacheReport
from videomama_server.engines.base import EngineConfig
from videomama_server.media import sequences
from videomama_server.worker.answers import Answers, WorkerFacts, planned_frames

WAIT_S = 60


@pytest.fixture
def place(tmp_path):
    return EngineConfig(tmp_path / "weights", tmp_path / "folded")


def ask(clip="1001-1100", frame_ranges="", **settings):
    return messages.PlanFrames("q", MatteSettings.of(**{"engine": "classic", **settings}), clip, frame_ranges)


@pytest.mark.parametrize(
    ("asked", "window", "overlap", "needed"),
    [
        (ask(engine="passthrough"), 1, 0, "1001-1100"),
        (ask(frame_ranges="1050", engine="passthrough"), 1, 0, "1050"),
        (ask(frame_ranges="1001-1100x50", engine="passthrough"), 1, 0, "1001, 1051"),
        (ask(frame_ranges="1050"), 8, 2, "1011, 1031, 1038-1057, 1071, 1091"),  # five show how good the mask is
        (ask(frame_ranges="1050", mask_quality="good"), 8, 2, "1038-1057"),
        (ask(frame_ranges="1050", mask_quality="good", window=4), 4, 2, "1044-1055"),
        (ask(frame_ranges="1050", mask_slack=4.0, trimap_erode=6.0, trimap_dilate=14.0), 8, 2, "1038-1057"),
        (ask(clip="1001-1099x2", frame_ranges="1051", window=4), 4, 2, "1011, 1031, 1041-1063x2, 1071, 1091"),
        (ask(clip="1001-1003", frame_ranges="1002"), 8, 2, "1001-1003"),
        (ask(clip="-10--1", frame_ranges="-1", engine="passthrough"), 1, 0, "-1"),
    ],
    ids=lambda value: f"{value.clip} {value.frame_ranges}" if isinstance(value, messages.PlanFrames) else str(value),
)
def test_the_frames_that_windows_hold_are_needed(place, asked, window, overlap, needed):
    assert planned_frames(asked, lambda _: place) == messages.FramesPlanned(
        "q", asked.settings.engine, window, overlap, needed
    )


@pytest.mark.parametrize(
    ("then", "needed"),
    [
        ((Stage("passthrough"),), "1050"),
        ((Stage("passthrough", window=8),), "1048-1055"),
        ((Stage("passthrough", window=6, overlap=2), Stage("passthrough", window=4)), "1044-1053"),
        ((Stage("passthrough", window=4), Stage("passthrough", window=8, overlap=4)), "1044-1055"),
    ],
)
def test_what_later_stages_read_is_needed_of_the_first(place, then, needed):
    asked = replace(ask(frame_ranges="1050", engine="passthrough"), then=then)
    planned = planned_frames(asked, lambda _: place)
    assert (planned.engine, planned.window, planned.overlap) == ("passthrough", 1, 0)
    assert planned.needed_ranges == needed


@pytest.mark.parametrize(
    ("on", "wanted", "needed"),
    [((1010,), "1020", "1010, 1020"), ((1010, 1040), "1030", "1010, 1030, 1040"), ((1010,), "1005", "1005, 1010")],
)
def test_of_an_engine_that_walks_all_frames_on_the_way_are_needed(place, on, wanted, needed):
    told = tuple(Prompt("mask", frame, file=f"/key.{frame}.exr") for frame in on)
    planned = planned_frames(replace(ask(engine="held", frame_ranges=wanted), prompts=told), lambda _: place)
    assert (planned.engine, planned.needed_ranges) == ("held", needed)


def test_a_chain_that_cannot_be_is_refused_before_its_frames_are_planned(place, raises_with_hint):
    for stage, said in (
        (Stage("nobody"), "stage 2, nobody"),
        (Stage("classic", window=4, overlap=3), "stage 2, classic"),
        (Stage("classic", (EngineOption("strength", 0.25),)), "no option"),
    ):
        with raises_with_hint(BadInput, said):
            planned_frames(replace(ask(), then=(stage,)), lambda _: place)


def test_auto_is_told_by_the_engine_it_stands_for(place):
    assert planned_frames(ask(engine="auto"), lambda _: place).engine == "classic"


def test_where_masks_decide_on_the_engine_the_frames_of_either_are_named(place, monkeypatch):
    monkeypatch.setattr(engines, "resolve", lambda name, config, walks=False: "passthrough")
    planned = planned_frames(ask(engine="auto", frame_ranges="1050"), lambda _: place)
    assert planned.engine == "passthrough"
    assert planned.needed_ranges == "1011, 1031, 1038-1057, 1071, 1091"


def test_all_frames_are_named_however_many_pieces_they_are_in(place):
    planned = planned_frames(ask(clip="1-1000", frame_ranges="1-1000x2", engine="passthrough"), lambda _: place)
    assert sequences.parse_range(planned.needed_ranges) == list(range(1, 1001, 2))


def test_a_text_that_no_message_can_hold_is_refused(place, raises_with_hint):
    pieces = ",".join(f"{number}-{number + 1}" for number in range(1, 40000, 5))
    with raises_with_hint(BadInput, "16,000 frames"):
        planned_frames(ask(clip="1-40000", frame_ranges=pieces, engine="passthrough"), lambda _: place)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (ask(clip=""), "''"),
        (ask(clip="abc"), "'abc'"),
        (ask(frame_ranges="abc"), "'abc'"),
        (ask(clip="1-99999999"), "1-99999999"),
        (ask(frame_ranges="1000-1002"), "1000"),
        (ask(engine="nonsense"), "nonsense"),
        (ask(window=0), "--window 0"),
        (ask(window=8, overlap=5), "--overlap 5"),
        (ask(engine="auto", mode="nonsense"), "nonsense"),
        (ask(mode="reference"), "--mode is a setting of videomama"),
        (ask(exposure=math.nan), "exposure"),
    ],
    ids=lambda value: "ask" if isinstance(value, messages.PlanFrames) else str(value),
)
def test_what_makes_no_sense_is_refused(place, asked, said, raises_with_hint):
    with raises_with_hint(BadInput, said):
        planned_frames(asked, lambda _: place)


def test_an_engine_that_cannot_run_here_is_refused(place, raises_with_hint):
    with raises_with_hint(WeightsError, place.weights):
        planned_frames(ask(engine="videomama"), lambda _: place)


def test_options_of_an_engine_are_checked_before_its_frames_are_planned(place, installed, raises_with_hint):
    installed()
    assert (
        planned_frames(ask(engine="own", engine_options=(EngineOption("strength", 0.25),)), lambda _: place).window == 3
    )
    with raises_with_hint(BadInput, "engine own", "strength 7"):
        planned_frames(ask(engine="own", engine_options=(EngineOption("strength", 7.0),)), lambda _: place)
    with raises_with_hint(BadInput, "engine classic", "'strength'"):
        planned_frames(ask(engine_options=(EngineOption("strength", 0.25),)), lambda _: place)
    with raises_with_hint(BadInput, "no engine that auto may take", "'strength'"):
        planned_frames(ask(engine="auto", engine_options=(EngineOption("strength", 0.25),)), lambda _: place)


class Asking:
    """Answers with a cache of their own."""

    def __init__(self, folder, place, limit_gb=2.0):
        self.cache = Cache(folder / "cache")
        self.said = queue.Queue()
        self.cleared = threading.Event()
        desk = WorkerFacts(self.cache, limit_gb, "/log", lambda settings: place, self.clear)
        self.answers = Answers(desk, self.said.put)

    def clear(self) -> CacheReport:
        self.cleared.wait(WAIT_S)
        return self.cache.clear()

    def ask(self, question):
        self.answers.take(question)
        return self.said.get(timeout=WAIT_S)


@pytest.fixture
def asking(tmp_path, place):
    made = []

    def make(**config):
        made.append(Asking(tmp_path, place, **config))
        return made[-1]

    yield make
    for one in made:
        one.cleared.set()


@pytest.fixture
def filled():
    """Put three entries of 1 MB into a cache."""

    def fill(cache):
        for number in range(3):
            path = layout.entry(cache.folder, f"ab{number}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(1_000_000))

    return fill


def test_the_cache_is_reported(asking, filled):
    desk = asking()
    filled(desk.cache)
    folder = str(desk.cache.folder)
    assert desk.ask(messages.ReportCache("q")) == messages.CacheReported("q", folder, 3, 3_000_000, 2_000_000_000)


def test_entries_of_older_versions_are_told_apart(asking, filled):
    desk = asking()
    filled(desk.cache)
    first = next(desk.cache.folder.glob("entries/ab/*.exr"))
    first.rename(layout.entry(desk.cache.folder, "ab0", version=0))
    told = desk.ask(messages.ReportCache("q"))
    assert (told.entries, told.older_entries, told.older_bytes) == (3, 1, 1_000_000)


def test_the_cache_is_pruned_to_its_own_limit_or_to_another(asking, filled):
    desk = asking(limit_gb=0.0025)
    filled(desk.cache)
    told = desk.ask(messages.PruneCache("q"))
    assert (told.entries, told.removed, told.freed_bytes, told.limit_bytes) == (2, 1, 1_000_000, 2_500_000)
    told = desk.ask(messages.PruneCache("r", 0.0))
    assert (told.request, told.entries, told.bytes, told.removed) == ("r", 0, 0, 2)
    assert told.limit_bytes == 2_500_000


@pytest.mark.parametrize("limit", [-1.0, math.nan, math.inf, -math.inf, 1e300])
def test_a_limit_that_makes_no_sense_is_refused(asking, filled, limit):
    desk = asking()
    filled(desk.cache)
    refused = desk.ask(messages.PruneCache("q", limit))
    assert (type(refused), refused.request, refused.code) == (messages.RequestRefused, "q", "bad-input")
    assert refused.hint
    assert desk.ask(messages.ReportCache("q")).entries == 3


def test_a_limit_beyond_what_numbers_can_tell_is_told_as_the_most(asking):
    told = asking(limit_gb=1e20).ask(messages.ReportCache("q"))
    assert wire.decode(wire.encode(told), messages.KINDS).limit_bytes == 2**63 - 1


def test_the_cache_is_cleared_and_what_was_removed_is_told(asking, filled):
    desk = asking()
    desk.cleared.set()
    filled(desk.cache)
    told = desk.ask(messages.ClearCache("q"))
    assert (told.entries, told.bytes, told.removed, told.freed_bytes) == (0, 0, 3, 3_000_000)


def test_a_plan_does_not_wait_for_a_slow_cache(asking):
    desk = asking()
    desk.answers.take(messages.ClearCache("slow"))
    assert isinstance(desk.ask(ask()), messages.FramesPlanned)
    desk.cleared.set()
    assert desk.said.get(timeout=WAIT_S).request == "slow"


def test_refusals_name_their_request(asking):
    refused = asking().ask(ask(engine="nonsense"))
    assert (type(refused), refused.request, refused.code) == (messages.RequestRefused, "q", "bad-input")


def test_engines_are_reported_with_all_settings(asking):
    told = asking().ask(messages.ReportEngines("q"))
    assert told.request == "q"
    assert tuple(told.settings) == specs_of(MatteSettings)
    assert [engine.name for engine in told.engines] == list(RECORDS)
    assert [engine.options for engine in told.engines] == [list(specs_of(record)) for record in RECORDS.values()]
    roles = {engine.name: engine.role for engine in told.engines if engine.role != MATTING}
    makers = dict.fromkeys(("held", "sam2", "sam3"), MAKER)
    assert roles == {"vitmatte": REFINER, "mematte": REFINER, "adjust": ADJUSTMENT, **makers}
    assert {engine.name: engine.prompts for engine in told.engines if engine.prompts} == {
        "held": ["mask"],
        "sam2": ["point", "box", "mask"],
        "sam3": ["point", "box", "text", "mask"],
        "sam2matte": ["point", "box", "mask"],
    }


def test_engines_do_not_wait_for_a_slow_cache(asking):
    desk = asking()
    desk.answers.take(messages.ClearCache("slow"))
    assert isinstance(desk.ask(messages.ReportEngines("q")), messages.EnginesReported)
    desk.cleared.set()
    assert desk.said.get(timeout=WAIT_S).request == "slow"


def test_every_question_has_an_answer(tmp_path):
    facts = WorkerFacts(Cache(tmp_path), 1.0, "", lambda _: None, lambda: None)
    assert set(Answers(facts, lambda _: None)._answers) == set(pipe.QUESTIONS)


@pytest.mark.parametrize(("most", "told"), [(4, True), (3, False)])
def test_a_text_as_long_as_a_message_can_hold_is_told(place, monkeypatch, most, told):
    monkeypatch.setattr("videomama_server.worker.answers.wire.MAX_TEXT_BYTES", most)
    asked = ask(frame_ranges="1050", engine="passthrough")
    if told:
        assert planned_frames(asked, lambda _: place).needed_ranges == "1050"
    else:
        with pytest.raises(BadInput, match="1 frame in too many pieces"):
            planned_frames(asked, lambda _: place)
