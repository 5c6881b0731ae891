import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import OpenImageIO as oiio
import pytest
from videomama_client.engine_settings import MattingSettings
from videomama_client.errors import BadInput, Cancelled, NotPermitted, OutOfMemory
from videomama_client.job_records import Phase
from videomama_client.messages import SubmitMatte
from videomama_client.setting_spec import specs_of
from videomama_client.settings import MatteSettings
from videomama_server.cache.memo import Facts, Memo
from videomama_server.engines.base import RegionRule
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.media import frames, sequences
from videomama_server.media.delivery import Delivery
from videomama_server.media.frames import Seen
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.pipeline import survey as survey_module
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.reader import NOTHING, Reader, wanted_of
from videomama_server.pipeline.sources import DiskSource
from videomama_server.pipeline.survey import check_cancelled


@pytest.fixture
def shot(make_shot):
    return make_shot([1001, 1002, 1003])


def result_of(steps):
    """Take a generator to its end and return what it returns."""
    kept = []

    def keep():
        kept.append((yield from steps))

    for _ in keep():
        pass
    return kept[0]


class Cutting(PassthroughEngine):
    """An engine that has a threshold."""

    record = MattingSettings


@pytest.fixture
def survey(shot, tmp_path, take_survey):
    """Survey the shot with some settings."""
    with ThreadPoolExecutor(2) as readers:

        def run(
            cancelled=None,
            out="alpha.####.exr",
            frame_ranges="",
            folder=tmp_path,
            by=None,
            make_room=lambda _: False,
            tell=lambda _: None,
            **settings,
        ):
            engine = by or PassthroughEngine()
            out = str(folder / out)
            asked = MatteSettings.of(**settings)
            request = SubmitMatte("r", shot.plate, shot.mask, out, asked, frame_ranges=frame_ranges)
            plate, mask = DiskSource("plate", shot.plate, ()), DiskSource("mask", shot.mask, ())
            reader = Reader(plate, mask, Memo(None), wanted_of(request.settings), rehash=False)
            order = Order(
                "j",
                request,
                engine.name,
                engine,
                reader,
                Delivery(sequences.parse(out)),
                make_room=make_room,
                tell=tell,
            )
            steps = take_survey(order, readers, cancelled or threading.Event())
            return result_of(steps)

        yield run


def test_everything_left_open_is_decided_in_the_identity(survey):
    settings = survey(engine="auto").identity.settings
    assert settings.engine == "passthrough"
    assert (settings.window, settings.overlap) == (1, 0)
    assert settings.colorspace == "lin_rec709"
    assert settings.roi == "8,8,32,32"


def test_the_region_is_found_from_all_masks_that_are_read(survey):
    found = survey()
    assert found.region == Rect(8, 8, 32, 32)
    assert found.roi == [8, 8, 32, 32]
    assert found.warnings == []


@pytest.mark.parametrize(
    ("reach", "grow", "region"),
    [
        (0.0, 0.0, Rect(96, 64, 64, 64)),
        (160.0, 0.0, Rect(80, 48, 96, 96)),
        (160.0, 80.0, Rect(64, 32, 128, 128)),
        (160.0, -80.0, Rect(80, 48, 96, 96)),
    ],
)
def test_the_region_reaches_as_far_as_the_engine_and_the_grown_mask(survey, shot, pictures, reach, grow, region):
    """Seven and a half of their pixels are one of these; the region lies on multiples of eight."""
    for frame in (1001, 1002, 1003):
        shot.put_plate(frame, pictures.scene(frame, 192, 256))
        shot.put_mask(frame, pictures.disc(128, 96, 20, 192, 256))
    engine = PassthroughEngine()
    engine.rule = lambda settings: RegionRule(reach=reach)
    assert survey(by=engine, mask_grow=grow).region == region


def test_off_is_the_whole_canvas_and_reports_the_display_window(survey):
    found = survey(roi="off")
    assert found.region is None
    assert found.roi == [0, 0, 64, 48]
    assert found.identity.settings.roi == "off"


@pytest.mark.parametrize("roi", ["auto", "off", "8,8,16,16"])
@pytest.mark.parametrize(("fixed", "region"), [(True, Rect(0, 0, 64, 48)), (False, None)])
def test_an_engine_of_the_whole_plate_gets_it_whatever_region_is_asked_for(survey, roi, fixed, region):
    class Whole(PassthroughEngine):
        def rule(self, settings):
            return RegionRule(whole=True, fixed=fixed)

    found = survey(roi=roi, by=Whole())
    assert found.region == region
    assert found.roi == [0, 0, 64, 48]
    assert found.identity.settings.roi == ("0,0,64,48" if fixed else "off")


@pytest.mark.parametrize("holders", [0, 1, 2])
def test_other_engines_let_go_until_what_is_decided_fits(survey, holders):
    asked = []

    class Large(PassthroughEngine):
        def resolve(self, settings, size):
            if len(asked) < 2:
                raise OutOfMemory("it does not fit", "Take less.")
            return super().resolve(settings, size)

    def make_room(name):
        asked.append(name)
        return len(asked) <= holders

    if holders < 2:
        with pytest.raises(OutOfMemory, match="does not fit"):
            survey(by=Large(), make_room=make_room)
    else:
        survey(by=Large(), make_room=make_room)
    assert asked == ["passthrough"] * min(2, holders + 1)


def test_a_region_counts_from_the_origin_of_the_display_window(survey, shot, pictures):
    for frame in (1001, 1002, 1003):
        shot.put_plate(frame, pictures.scene(frame), display=(100, 200, 64, 48), origin=(100, 200))
    found = survey(roi="8,8,40,32")
    assert found.region == Rect(108, 208, 40, 32)
    assert found.roi == [8, 8, 40, 32]
    assert survey().region == Rect(112, 208, 32, 32)
    assert survey().identity.settings.roi == "12,8,32,32"


def test_the_region_follows_a_mask_into_overscan(survey, shot, pictures):
    for frame in (1001, 1002, 1003):
        shot.put_plate(frame, pictures.scene(frame, 64, 96), display=(0, 0, 64, 48), origin=(-16, -8))
        shot.put_mask(frame, pictures.disc(5, 40, 10, 64, 96), display=(0, 0, 64, 48), origin=(-16, -8))
    assert survey().region == Rect(-16, 16, 24, 32)
    assert survey().warnings == []


def test_the_region_is_bounded_by_the_canvases_of_all_frames_that_are_read(survey, shot, pictures):
    """The first plate has no overscan; the subject walks into that of later ones."""
    assert survey().region == Rect(8, 8, 32, 32)
    for frame in (1002, 1003):
        shot.put_plate(frame, pictures.scene(frame, 48, 96), display=(0, 0, 64, 48))
    shot.put_mask(1003, pictures.disc(75, 24, 8, 48, 96), display=(0, 0, 64, 48))
    found = survey()
    assert found.region.right > 64
    assert found.warnings == []
    assert survey(frame_ranges="1001", window=1).region == Rect(8, 8, 32, 32)  # only of the frames that are read
    assert survey(roi="66,8,16,16").region == Rect(66, 8, 16, 16)


def test_a_plate_of_another_size_fails_before_anything_is_computed(survey, shot, pictures, raises_with_hint):
    shot.put_plate(1003, pictures.scene(3, 32, 32))
    with raises_with_hint(BadInput, "plate frame 1003", "32x32", "64x48"):
        survey()


def test_plates_whose_format_has_no_data_window_are_not_opened_for_one(survey, shot, pictures, monkeypatch):
    shot.ending = "png"
    for frame in (1001, 1002, 1003):
        pictures.write(shot.folder / f"plate.{frame}.png", pictures.scene(frame), "RGB", "uint16")
    probed = []
    real = frames.probe_plate
    monkeypatch.setattr(frames, "probe_plate", lambda path, *chosen: (probed.append(path.name), real(path, *chosen))[1])
    survey()
    assert probed == ["plate.1001.png"]


def test_the_declared_colour_space_is_in_the_identity(survey, shot, pictures):
    shot.ending = "dpx"
    for frame in (1001, 1002, 1003):
        spec = oiio.ImageSpec(64, 48, 3, "uint16")
        spec.attribute("oiio:ColorSpace", "KodakLog")
        output = oiio.ImageOutput.create("x.dpx")
        assert output.open(str(shot.folder / f"plate.{frame}.dpx"), spec)
        assert output.write_image(pictures.scene(frame) / 2)
        output.close()
    assert survey().identity.settings.colorspace == "Cineon"
    assert survey(colorspace="ACEScct").identity.settings.colorspace == "ACEScct"


def test_a_plate_of_another_kind_than_the_first_is_told(survey, shot, pictures):
    shot.put_plate(1002, pictures.scene(2))
    frames.write_picture(shot.plate_file(1003), pictures.scene(3), attributes={"colorInteropID": "lin_ap1_scene"})
    (warning,) = survey().warnings
    assert "more than one colour space" in warning
    assert "frames 1003" in warning


def test_an_inverted_mask_is_asked_about(survey, shot, pictures):
    for frame in (1001, 1002, 1003):
        shot.put_mask(frame, 1 - pictures.disc(20, 20))
    (warning,) = survey().warnings
    assert "is the mask inverted?" in warning


def test_what_auto_found_can_be_named(survey):
    auto = survey()
    named = survey(roi=",".join(map(str, auto.roi)))
    assert (named.region, named.identity) == (auto.region, auto.identity)


@pytest.mark.parametrize("roi", ["1,2,3", "0,0,4,4"])
def test_a_region_that_makes_no_sense_is_an_error(survey, roi, raises_with_hint):
    with raises_with_hint(BadInput):
        survey(roi=roi)


def test_a_huge_region_is_refused_before_memory_is_taken(survey, raises_with_hint):
    with raises_with_hint(BadInput, "0,0,1000000,1000000"):
        survey(roi="0,0,1000000,1000000")


def test_integer_plates_are_srgb_by_default(shot, survey, pictures):
    for frame in (1001, 1002, 1003):
        pictures.write(shot.folder / f"plate.{frame}.png", pictures.scene(frame), "RGB", "uint16")
    shot.ending = "png"
    assert survey().identity.settings.colorspace == "srgb_tx"


def test_an_unknown_colour_space_fails_before_any_work(survey, raises_with_hint):
    with raises_with_hint(BadInput, "'Kodachrome'"):
        survey(colorspace="Kodachrome")


def test_an_empty_frame_is_a_warning_that_names_it(survey, shot):
    shot.put_mask(1002, np.zeros((48, 64)))
    found = survey()
    assert [warning for warning in found.warnings if "empty on frames 1002" in warning]


def test_a_frame_whose_mask_stays_faint_is_a_warning(survey, shot, pictures):
    shot.put_mask(1003, pictures.disc(24, 24) * 0.25)
    (warning,) = survey(by=Cutting()).warnings
    assert "threshold 0.5" in warning
    assert "1003" in warning
    assert survey(by=Cutting(), mask_threshold=0.2).warnings == []


def test_an_engine_that_cuts_no_mask_has_no_threshold_to_be_below(survey, shot, pictures):
    shot.put_mask(1003, pictures.disc(24, 24) * 0.25)
    assert survey().warnings == []


def test_an_option_that_the_engine_does_not_have_is_refused_before_any_work(survey, raises_with_hint):
    with raises_with_hint(BadInput, "--mask-threshold is a setting of videomama and classic"):
        survey(mask_threshold=0.2)


def test_a_mask_that_covers_everything_is_a_warning(survey, shot):
    shot.put_mask(1002, np.ones((48, 64)))
    (warning,) = survey().warnings
    assert "covers everything on frames 1002" in warning
    assert "--mask-channel" in warning


@pytest.mark.parametrize("roi", ["auto", "0,0,64,48", "8,0,56,48"])
def test_a_mask_of_another_size_that_touches_the_edge_leaves_no_region(survey, shot, pictures, roi):
    for frame in (1001, 1002, 1003):
        shot.put_mask(frame, pictures.disc(31, 12, 8, 24, 32))
    assert survey(roi=roi).warnings == []
    assert len(survey(roi="8,0,48,48").warnings) == 1


def test_what_a_mask_holds_beyond_the_plate_leaves_no_region(survey, shot, pictures):
    for frame in (1001, 1002, 1003):
        shot.put_mask(frame, pictures.disc(20, 30, 18, 64, 96), display=(0, 0, 64, 48), origin=(-16, -8))
    for roi in ("auto", "0,0,32,48"):
        assert survey(roi=roi).warnings == []


def test_a_mask_that_leaves_a_named_region_is_a_warning(survey, shot, pictures):
    shot.put_mask(1003, pictures.disc(60, 24))
    (warning,) = survey(roi="8,8,40,32").warnings
    assert "leaves the region" in warning
    assert "1003" in warning


def test_only_wanted_frames_are_warned_about(survey, shot):
    shot.put_mask(1002, np.zeros((48, 64)))
    assert survey(frame_ranges="1001", window=3).warnings == []


def test_all_masks_empty_is_an_error_that_names_the_frames(survey, shot, raises_with_hint):
    for frame in (1001, 1002, 1003):
        shot.put_mask(frame, np.zeros((48, 64)))
    with raises_with_hint(BadInput, "1001-1003"):
        survey()


def test_a_colour_that_no_mask_has_is_named(survey, shot, pictures):
    for frame in (1001, 1002, 1003):
        pictures.settle(pictures.write(shot.mask_file(frame), pictures.disc(20, 20)[..., None] * [1, 0, 0], "RGB"))
    assert not [warning for warning in survey(mask_colour="#ff0000").warnings if "empty" in warning]
    with pytest.raises(BadInput, match="#00ff00"):
        survey(mask_colour="#00ff00")


def test_masks_that_lie_wholly_outside_the_plate_are_empty(survey, shot, pictures, raises_with_hint):
    for frame in (1001, 1002, 1003):
        shot.put_plate(frame, pictures.scene(frame), display=(1000, 1000, 64, 48), origin=(1000, 1000))
        shot.put_mask(frame, pictures.disc(10, 10), display=(1000, 1000, 64, 48), origin=(900, 900))
    with raises_with_hint(BadInput, "1001-1003"):
        survey()


def test_one_still_name_for_several_alphas_is_an_error(survey, tmp_path, raises_with_hint):
    with raises_with_hint(BadInput, tmp_path / "alpha.exr", "3 frames"):
        survey(out="alpha.exr")
    assert survey(out="alpha.exr", frame_ranges="1002").plan.wanted == (1002,)


def test_another_aspect_is_an_error_that_names_the_frame(survey, shot, pictures, raises_with_hint):
    shot.put_mask(1002, pictures.disc(50, 50, 8, 100, 100))
    with raises_with_hint(BadInput, "mask frame 1002", "100x100", "64x48"):
        survey()


def test_missing_masks_are_an_error_that_names_them(survey, shot, raises_with_hint):
    shot.mask_file(1002).unlink()
    with raises_with_hint(BadInput, "mask frames 1002"):
        survey()


def test_a_cancelled_job_is_not_looked_at_to_the_end(survey, raises_with_hint):
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        survey(cancelled)


def test_a_disk_that_may_be_too_full_is_a_warning_and_one_that_is_full_is_refused(survey, small_disk, raises_with_hint):
    folder = small_disk(4)
    assert survey().space == ""
    assert "may need 7.4 kB" in survey(folder=folder).space
    (folder / "alpha.1001.exr").write_bytes(b"\0" * 4096)
    with raises_with_hint(NotPermitted, folder, "0.0 kB free", "needs at least"):
        survey(folder=folder)
    assert survey(folder=folder, frame_ranges="1001").space == ""  # its file is there already


def test_a_job_that_is_not_cancelled_runs_on_and_a_cancelled_one_ends():
    cancelled = threading.Event()
    check_cancelled(cancelled)
    cancelled.set()
    with pytest.raises(Cancelled) as raised:
        check_cancelled(cancelled)
    assert raised.value.hint == "What was finished is in the cache."


def test_masks_are_looked_at_only_where_their_quality_is_asked_for(survey, monkeypatch):
    monkeypatch.setattr(survey_module.mask_choice, "judged", None)
    assert survey().mask is None  # this engine leaves outlines alone
    seen = []

    def judged(looking, fits, missing):
        seen.append((sorted(fits), missing))
        return survey_module.mask_choice.as_asked(looking.settings, False)

    monkeypatch.setattr(survey_module.mask_choice, "frames_to_look_at", lambda *_: [1001, 1003, 1009])
    monkeypatch.setattr(survey_module.mask_choice, "judged", judged)
    survey()
    assert seen == [([1001, 1003], [1009])]


@pytest.mark.parametrize(
    ("roi", "said"),
    [("64,0,8,8", "lies outside the plate"), ("0,0,16384,8193", "more than 134217728 pixels"), ("56,40,8,8", "")],
)
def test_a_region_lies_on_the_plate_and_has_no_more_pixels_than_a_plate_may(survey, roi, said):
    if not said:
        assert survey(roi=roi).roi == [56, 40, 8, 8]
        return
    with pytest.raises(BadInput, match=said) as raised:
        survey(roi=roi)
    assert "--roi" in raised.value.hint


@pytest.mark.parametrize(
    ("peak", "low", "said"),
    [
        (NOTHING, 0.0, "the mask is empty on frames 7"),
        (0.003, 0.0, "stays below the threshold 0.5 on frames 7"),
        (0.49, 0.0, "stays below the threshold 0.5 on frames 7"),
        (0.5, 0.0, ""),
        (1.0, 0.49, ""),
        (1.0, 0.5, "covers everything on frames 7"),
    ],
)
def test_masks_that_hold_nothing_little_or_everything_are_told(peak, low, said):
    full = Geometry(Rect(0, 0, 64, 48), Rect(0, 0, 64, 48))
    looked = survey_module._Looked(Seen(full), full.canvas, {7: Facts("d", full, low=low, peak=peak)})
    cutting = SimpleNamespace(makes_masks=False, engine=SimpleNamespace(options=lambda: specs_of(MattingSettings)))
    found = survey_module._warnings([7], looked, cutting, 0.5)
    assert [said in warning for warning in found] == ([True] if said else [])
    assert looked.is_empty(7) == (peak <= NOTHING)


def test_a_cancelled_job_looks_at_a_batch_and_no_further(survey):
    assert survey_module._BATCH == 32
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Cancelled, match="the job was cancelled"):
        survey(cancelled)


def test_the_survey_says_how_many_masks_it_has_read_and_judged(survey):
    told = []
    survey(tell=told.append, by=Cutting())
    assert [phase for phase in told if phase.code == "reading-masks"] == [
        Phase("reading-masks", done, 3) for done in (1, 2, 3)
    ]
