import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from videomama_client import messages
from videomama_client.digests import content_digest
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput, Cancelled, NotPermitted
from videomama_client.objects import MaskObject
from videomama_client.prompts import Prompt
from videomama_client.stages import Stage
from videomama_server import engines, pipe
from videomama_server.cache.entries import Cache
from videomama_server.cache.memo import Memo
from videomama_server.config import Config
from videomama_server.media import sequences
from videomama_server.pipeline.services import Services
from videomama_server.worker.intake import Intake
from videomama_server.worker.reads import Reads
from videomama_server.worker.shelf import EngineShelf

WAIT_S = 60


class Rig:
    """An intake with a cache of its own, and the frames that it asked clients for."""

    def __init__(self, folder, **keys):
        self.config = Config(cache_dir=folder / "cache", **keys)
        self.threads = ThreadPoolExecutor(2)
        self.cache = Cache(self.config.cache_dir)
        services = Services(self.cache, Memo(folder / "memo"), self.threads, self.threads, 2)
        shelf = EngineShelf(self.config, folder / "folded", lambda _: None)
        self.wanted, self.reading = [], []
        reads = Reads(lambda job, files: self.reading.append((job, files)))
        self.intake = Intake(self.config, services, shelf, reads, self.wanted.append)
        self.cancelled = threading.Event()

    def take(self, request, spool=""):
        return self.intake.taken(pipe.RunJob("job", str(spool), request), self.cancelled)

    def order(self, request):
        with self.take(request) as order:
            return order

    def refusal(self, request, kind=BadInput):
        with pytest.raises(kind) as caught:
            self.order(request)
        return str(caught.value)


@pytest.fixture
def make_rig(tmp_path):
    made = []

    def make(**keys):
        made.append(Rig(tmp_path, **keys))
        return made[-1]

    yield make
    for rig in made:
        rig.cancelled.set()
        rig.threads.shutdown()
        rig.cache.close()


@pytest.fixture
def rig(make_rig):
    return make_rig()


def inline(clip, **changes):
    digests = {
        f"{role}_digests": [content_digest(clip.file(role, n)) for n in clip.numbers] for role in ("plate", "mask")
    }
    return clip.order(**{"inline": True, "inline_frame_numbers": list(clip.numbers), **digests, **changes})


def test_a_job_by_path_reads_the_clients_files_and_writes_where_it_says(rig, make_clip):
    clip = make_clip(count=2)
    order = rig.order(clip.order(layer="matte"))
    assert (order.job, order.engine_name, order.engine.name) == ("job", "passthrough", "passthrough")
    assert order.reader.plate.path(1001) == clip.file("plate", 1001)
    assert order.reader.mask.path(1002) == clip.file("mask", 1002)
    assert (order.delivery.pattern.path(1001), order.delivery.layer) == (clip.alpha_file(1001), "matte")
    assert rig.wanted == []


def test_an_engine_that_auto_stands_for_may_give_small_subjects_away(rig, make_clip, monkeypatch):
    clip = make_clip(count=1)
    assert rig.order(clip.order(engine="passthrough")).light is None
    assert rig.order(clip.order(engine="auto")).light is None  # it stands for the light one here
    monkeypatch.setattr(engines, "resolve", lambda name, config, walks=False: "passthrough")
    light = rig.order(clip.order(engine="auto")).light
    assert (light.name, light.engine.name) == ("classic", "classic")


def test_a_file_is_noted_while_it_is_read(rig, make_clip):
    rig.order(make_clip(count=1).order()).reader.mask_facts(1001)
    assert [job for job, _ in rig.reading] == ["job", "job"]
    assert "1001" in rig.reading[0][1][0]
    assert rig.reading[1][1] == []


def test_what_cannot_be_done_is_refused(rig, make_clip):
    clip = make_clip(count=1)
    assert "unknown priority 'soon'" in rig.refusal(clip.order(priority="soon"))
    assert "nonsense" in rig.refusal(clip.order(engine="nonsense"))
    assert rig.refusal(clip.order(window=-1))
    assert rig.refusal(clip.order(mask=str(clip.folder / "none.####.exr")))


@pytest.mark.parametrize("role", ["plate", "mask", "out"])
def test_nothing_outside_the_roots_is_read_or_written(make_rig, make_clip, tmp_path, role):
    clip = make_clip(count=1)
    away = str(tmp_path / "away" / "a.####.exr")
    assert "outside the server's roots" in make_rig(roots=(clip.folder,)).refusal(
        clip.order(**{role: away}), NotPermitted
    )


def test_alphas_never_go_among_the_caches_own_files(rig, make_clip):
    out = str(rig.cache.folder / "entries" / "a.####.exr")
    assert "is inside the server's cache" in rig.refusal(make_clip(count=1).order(out=out), NotPermitted)


@pytest.mark.parametrize("role", ["plate", "mask"])
def test_an_alpha_never_takes_the_place_of_a_file_that_is_read(rig, make_clip, tmp_path, role):
    clip = make_clip(count=1)
    (tmp_path / "link").symlink_to(clip.folder)
    for folder in (clip.folder, tmp_path / "link"):
        refusal = rig.refusal(clip.order(out=str(folder / f"{role}.####.exr")))
        assert f"would overwrite the {role}" in refusal


def test_without_an_output_alphas_go_to_a_folder_of_the_cache_by_all_that_they_hang_on(rig, make_clip):
    clip, other = make_clip(count=1), make_clip(count=1)

    def folder(**changes):
        return rig.order(clip.order(out="", **changes)).delivery.pattern.folder

    changed = [
        {"window": 7},
        {"plate": other.plate},
        {"mask": other.mask},
        {"layer": "matte"},
        {"dtype": "float"},
        {"then": (Stage("passthrough"),)},
        {"then": (Stage("classic"),)},
    ]
    folders = [folder(), *(folder(**one) for one in changed)]
    assert len(set(folders)) == len(folders)
    assert folders == [folder(), *(folder(**one) for one in changed)]
    assert {folder.parent for folder in folders} == {rig.cache.write_root / "sequences"}


@pytest.mark.parametrize(("delivery", "links"), [("copy", False), ("link", True)])
def test_alphas_are_links_to_the_cache_where_the_config_says_so(make_rig, make_clip, delivery, links):
    rig, clip = make_rig(delivery=delivery), make_clip(count=1)
    for out in ("", clip.out):
        delivered = rig.order(clip.order(out=out)).delivery
        assert (delivered.link, delivered.pattern.path(1001).name) == (links, "alpha.1001.exr")


def test_an_inline_job_delivers_apart_from_the_same_job_by_path(rig, make_clip, tmp_path):
    clip = make_clip(count=1)
    with rig.take(inline(clip), tmp_path / "spool") as order:
        folder = order.delivery.pattern.folder
    assert folder.parent == rig.cache.write_root / "sequences"
    assert folder != rig.order(clip.order(out="")).delivery.pattern.folder
    assert order.delivery.link


def test_frames_of_an_inline_job_are_asked_for_and_read_once_they_arrived(rig, make_clip, tmp_path, eventually):
    clip = make_clip(count=2)
    with rig.take(inline(clip), tmp_path / "spool") as order:
        assert (tmp_path / "spool").is_dir()
        assert rig.wanted == []
        path = rig.threads.submit(order.reader.plate.path, 1002)
        eventually(lambda: rig.wanted, "the frame is asked for")
        rig.intake.supplied(pipe.FrameSupplied("job", messages.MASK, 1002))
        rig.intake.supplied(pipe.FrameSupplied("job", "depth", 1002))
        rig.intake.supplied(pipe.FrameSupplied("nobody", messages.PLATE, 1002))
        assert not path.done()
        rig.intake.supplied(pipe.FrameSupplied("job", messages.PLATE, 1002))
        assert path.result(WAIT_S).parent == tmp_path / "spool"
    assert rig.wanted == [messages.FrameWanted("job", messages.PLATE, 1002)]


def test_a_cancelled_inline_job_waits_for_no_frame(rig, make_clip, tmp_path, eventually):
    with rig.take(inline(make_clip(count=1)), tmp_path / "spool") as order:
        path = rig.threads.submit(order.reader.plate.path, 1001)
        eventually(lambda: rig.wanted, "the frame is asked for")
        rig.cancelled.set()
        with pytest.raises(Cancelled):
            path.result(WAIT_S)


@pytest.mark.parametrize("changes", [{"mask_digests": []}, {"window": -1}, {"dtype": "nonsense"}])
def test_a_job_that_is_over_or_refused_leaves_nothing_behind(rig, make_clip, tmp_path, changes):
    request = inline(make_clip(count=1))
    with rig.take(request, tmp_path / "spool"):
        assert (tmp_path / "spool").is_dir()
    assert rig.intake._spooled == {}
    assert not (tmp_path / "spool").exists()
    settings = {name: value for name, value in changes.items() if name == "window"}
    fields = {name: value for name, value in changes.items() if name != "window"}
    bad = replace(request, settings=replace(request.settings, **settings), **fields)
    with pytest.raises(BadInput), rig.take(bad, tmp_path / "spool"):
        pass
    assert rig.intake._spooled == {}
    assert not (tmp_path / "spool").exists()


def test_options_of_an_engine_at_their_defaults_are_those_of_a_job_without_any(rig, make_clip, installed):
    installed()
    clip = make_clip(count=1)

    def options(*asked):
        return rig.order(clip.order(engine="own", engine_options=asked)).request.settings.engine_options

    assert options() == options(EngineOption("strength", 0.5)) == ()
    assert options(EngineOption("strength", 1)) == (EngineOption("strength", 1.0),)


def test_options_of_another_engine_that_auto_may_take_are_left_out_and_named(rig, make_clip):
    order = rig.order(make_clip(count=1).order(engine="auto", seed=7, soft_mask=True, mask_slack=3.0))
    assert order.engine_name == "classic"
    assert order.request.settings.engine_options == (EngineOption("mask_slack", 3.0),)
    assert order.notes == (
        "--seed, --soft-mask have no effect, as auto took the engine classic here; "
        "choose --engine videomama to use them",
    )
    assert rig.order(make_clip(count=1).order(engine="auto", mask_slack=3.0)).notes == ()


def test_each_stage_has_its_own_notes(rig, make_clip):
    options = (EngineOption("seed", 7),)
    order = rig.order(make_clip(count=1).order(engine="classic", then=(Stage("auto", options), Stage("classic"))))
    first, second, third = order.stages()
    assert (first.notes, third.notes) == ((), ())
    assert [note.split(" has")[0] for note in second.notes] == ["stage 2, classic: --seed"]


@pytest.mark.parametrize(
    ("engine", "option", "said"),
    [
        ("own", EngineOption("strength", 2.0), "engine own: strength 2 is out of range"),
        ("own", EngineOption("strength", "much"), "engine own: strength must be a number, not 'much'"),
        ("own", EngineOption("width", 2.0), "the engine own has no option 'width'"),
        ("passthrough", EngineOption("strength", 0.5), "the engine passthrough has no option 'strength'"),
        ("auto", EngineOption("strength", 0.5), "no engine that auto may take has an option 'strength'"),
        ("classic", EngineOption("seed", 7), "--seed is a setting of videomama; the engine classic has no such option"),
        ("own", EngineOption("seed", 7), "--seed is a setting of videomama; the engine own has no such option"),
        ("classic", EngineOption("mask_slack", 300.0), "--mask-slack 300 is out of range"),
        ("auto", EngineOption("canvas", "wide"), "--canvas 'wide' is not a valid size"),
    ],
)
def test_an_option_that_the_engine_has_not_is_refused_by_name(rig, make_clip, installed, engine, option, said):
    installed()
    refusal = rig.refusal(make_clip(count=1).order(engine=engine, engine_options=(option,)))
    assert refusal.splitlines()[0] == said


def with_colour(clip, out="fg/fg.####.exr", **asked):
    side = messages.SideResult("foreground", str(clip.folder / out), asked.pop("dtype", ""))
    return clip.order(side_results=(side,), **asked)


def test_a_side_result_is_taken_in_with_a_delivery_of_its_own(make_rig, make_clip):
    clip = make_clip(count=1)
    (side,) = make_rig().order(with_colour(clip)).sides
    assert side.delivery.pattern.path(1001) == clip.folder / "fg" / "fg.1001.exr"
    assert (side.delivery.pixel_type, side.delivery.content.channels) == ("half", ("R", "G", "B"))


@pytest.mark.parametrize("out", ["plate.####.exr", "mask.####.exr", "out/alpha.####.exr", "out/ALPHA.%04d.exr"])
def test_a_side_result_that_would_overwrite_something_is_refused(make_rig, make_clip, out):
    assert "would" in make_rig().refusal(with_colour(make_clip(count=1), out))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"out": "fg/fg.####.png"}, "cannot write foreground colour"),
        ({"dtype": "uint16"}, "foreground colour cannot be uint16"),
    ],
)
def test_a_side_result_that_cannot_be_written_is_refused(make_rig, make_clip, changes, said):
    assert said in make_rig().refusal(with_colour(make_clip(count=1), **changes))


def test_a_side_result_goes_under_the_roots_only_and_never_into_the_cache(make_rig, make_clip, tmp_path):
    clip = make_clip(count=1)
    (tmp_path / "elsewhere").mkdir()
    rig = make_rig(roots=(clip.folder,))
    assert "elsewhere" in rig.refusal(with_colour(clip, "../elsewhere/fg.####.exr"), NotPermitted)
    assert "cache" in make_rig().refusal(with_colour(clip, f"{rig.cache.folder}/entries/fg.####.exr"), NotPermitted)


def test_a_side_result_of_an_inline_job_waits_in_the_cache_to_be_fetched(make_rig, make_clip, tmp_path):
    clip, rig = make_clip(count=1), make_rig()
    digests = {f"{role}_digests": [content_digest(clip.file(role, 1001))] for role in ("plate", "mask")}
    asked = with_colour(clip, inline=True, inline_frame_numbers=[1001], **digests)
    with rig.take(asked, tmp_path / "spool") as order:
        (side,) = order.sides
    folder = side.delivery.pattern.folder
    assert folder.parent == rig.cache.folder / "sequences"
    assert folder != order.delivery.pattern.folder
    assert not (clip.folder / "fg").exists()


def two(clip, out="out/{object}.####.exr", **changes):
    """A job of two objects, one with a channel and a chain of its own."""
    pair = (
        MaskObject("hero", clip.mask),
        MaskObject("dog", clip.mask, mask_channel="G", stages=(Stage("classic"), Stage("passthrough"))),
    )
    return clip.order(mask="", objects=pair, out=str(clip.folder / out), **changes)


def test_each_object_has_a_mask_a_chain_and_files_of_its_own(rig, make_clip):
    clip = make_clip(count=1)
    order = rig.order(two(clip, then=(Stage("adjust"),)))
    (dog,) = order.siblings
    assert [(one.object, one.engine_name, one.layers) for one in (order, dog)] == [
        ("hero", "passthrough", None),
        ("dog", "classic", None),
    ]
    assert [[stage.name for stage in one.then] for one in (order, dog)] == [["adjust"], ["passthrough"]]
    assert [one.delivery.pattern.path(1001).name for one in (order, dog)] == ["hero.1001.exr", "dog.1001.exr"]
    assert order.other_deliveries == (dog.delivery,)
    assert [one.request.settings.mask_channel for one in (order, dog)] == ["", "G"]
    assert [one.request.mask for one in (order, dog)] == [clip.mask, clip.mask]


def test_objects_without_a_place_in_the_name_become_layers_of_one_file(rig, make_clip):
    order = rig.order(two(make_clip(count=1), "out/all.####.exr"))
    (dog,) = order.siblings
    assert order.layers is not None
    assert (order.delivery, order.delivery.layers) == (dog.delivery, ("hero", "dog"))
    assert order.other_deliveries == ()


def test_what_is_wrong_with_an_object_names_it(rig, make_clip):
    clip = make_clip(count=1)
    gone = MaskObject("hero", str(clip.folder / "none.####.exr"))
    assert "object hero: mask" in rig.refusal(clip.order(mask="", objects=(gone,), out=""))
    odd = MaskObject("hero", clip.mask, stages=(Stage("nonsense"),))
    assert "object hero: " in rig.refusal(clip.order(mask="", objects=(odd,), out=""))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mask": "m.####.exr"}, "both a mask and objects"),
        ({"layer": "matte"}, "the layer 'matte'"),
        ({"prompts": (Prompt("text", text="cat", object="cat"),)}, "is of no object of the job"),
        ({"side_results": (messages.SideResult("foreground", "/f.####.exr", ""),)}, "the same file for all objects"),
    ],
)
def test_what_does_not_go_with_several_objects_is_refused(rig, make_clip, changes, said):
    assert said in rig.refusal(replace(two(make_clip(count=1)), **changes))


def test_a_side_result_of_an_unknown_kind_is_refused(rig, make_clip):
    odd = (messages.SideResult("smoke", "/f.####.exr", ""),)
    assert "smoke" in rig.refusal(replace(make_clip(count=1).order(), side_results=odd))


@pytest.mark.parametrize("role", ["plate", "mask"])
def test_an_objects_alpha_never_takes_the_place_of_a_file_that_is_read(rig, make_clip, role):
    clip = make_clip(count=1)
    pair = (MaskObject("plate", clip.mask), MaskObject("mask", clip.mask))
    refusal = rig.refusal(clip.order(mask="", objects=pair, out=str(clip.folder / "{object}.####.exr")))
    assert "would overwrite" in refusal


def test_frames_of_each_object_are_asked_for_and_arrive_apart(rig, make_clip, tmp_path, eventually):
    clip = make_clip(count=1)
    plate, mask = (content_digest(clip.file(role, 1001)) for role in ("plate", "mask"))
    pair = tuple(MaskObject(name, clip.mask, mask_digests=[mask]) for name in ("hero", "dog"))
    sent = clip.order(mask="", objects=pair, out="", inline=True, inline_frame_numbers=[1001], plate_digests=[plate])
    with rig.take(sent, tmp_path / "spool") as order:
        (dog,) = order.siblings
        path = rig.threads.submit(dog.reader.mask.path, 1001)
        eventually(lambda: rig.wanted, "the mask is asked for")
        rig.intake.supplied(pipe.FrameSupplied("job", messages.MASK, 1001, "hero"))
        rig.intake.supplied(pipe.FrameSupplied("job", messages.MASK, 1002, "dog"))
        assert not path.done()
        rig.intake.supplied(pipe.FrameSupplied("job", messages.MASK, 1001, "dog"))
        assert path.result(WAIT_S).parent == tmp_path / "spool"
    assert rig.wanted == [messages.FrameWanted("job", messages.MASK, 1001, "dog")]


def with_key(clip, **changes):
    """A job of an engine that makes masks, told by a painted frame."""
    key = Prompt("mask", 1002, file=str(clip.file("mask", 1002)), **changes.pop("key", {}))
    return clip.order(mask="", engine="sam2", then=(Stage("passthrough"),), prompts=(key,), **changes)


def test_a_painted_frame_is_read_beside_the_plate(rig, make_clip, monkeypatch):
    clip = make_clip(count=2)
    monkeypatch.setattr(rig.intake, "_engine", lambda stage: stage)
    order = rig.order(with_key(clip))
    assert list(order.key_masks) == [1002]
    assert order.key_masks[1002].mask.path(1002) == clip.file("mask", 1002)
    assert order.prompts[0].frame == 1002
    refusal = rig.refusal(replace(with_key(clip), out=str(clip.folder / "mask.####.exr")))
    assert "would overwrite the key mask" in refusal


@pytest.mark.parametrize(
    "changes",
    [
        {"prompts": (Prompt("text", text="dog"),)},
        {"prompts": (Prompt("text", text="cat"),)},
        {"compression": "zip"},
        {"inline": True},
    ],
)
def test_what_else_an_alpha_hangs_on_gives_its_folder_another_name(rig, make_clip, changes):
    clip = make_clip(count=1)
    named = sequences.parse("alpha.####.exr")
    plain = clip.order(out="")
    folder, other = (rig.intake._inside(one, named, "half").folder for one in (plain, replace(plain, **changes)))
    assert (folder == other) == ("compression" in changes)  # which is given as `how`
    assert rig.intake._inside(plain, named, "half", "zip").folder != folder
    assert len(folder.name) == 32


def test_objects_give_a_folder_another_name_and_their_digests_do_not(rig, make_clip):
    named, plain = sequences.parse("alpha.####.exr"), two(make_clip(count=1))
    digested = replace(plain, objects=tuple(replace(one, mask_digests=["d"]) for one in plain.objects))
    fewer = replace(plain, objects=plain.objects[:1])
    folders = [rig.intake._inside(one, named).folder for one in (plain, digested, fewer)]
    assert folders[0] == folders[1] != folders[2]


@pytest.mark.parametrize(("out", "packed"), [("fg.####.exr", "zip"), ("fg.####.tif", "")])
def test_compression_is_of_exr_files_alone(rig, make_clip, out, packed):
    (side,) = rig.order(with_colour(make_clip(count=1), out, compression="zip")).sides
    assert side.delivery.compression == packed


def test_a_delivery_has_the_compression_and_type_that_were_asked_for(rig, make_clip):
    clip = make_clip(count=1)
    for out in (clip.out, ""):
        found = rig.order(clip.order(out=out, compression="zip", dtype="float")).delivery
        assert (found.compression, found.pixel_type) == ("zip", "float")
