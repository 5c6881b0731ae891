"""Jobs at the sizes of all formats, with overscan, and with windows that differ from frame to frame."""

import os

import numpy as np
import pytest
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.media.geometry import Geometry, Rect

FULL = Rect(0, 0, 64, 48)
CLIP = range(1001, 1015)
PASSTHROUGH = PassthroughEngine()
NUKE_FORMATS = {  # as Nuke ships them: width, height, pixel aspect
    "PC_Video": (640, 480, 1.0),
    "NTSC": (720, 486, 0.91),
    "PAL": (720, 576, 1.09),
    "NTSC_16:9": (720, 486, 1.21),
    "PAL_16:9": (720, 576, 1.46),
    "HD_720": (1280, 720, 1.0),
    "HD_1080": (1920, 1080, 1.0),
    "UHD_4K": (3840, 2160, 1.0),
    "1K_Super_35(full-ap)": (1024, 778, 1.0),
    "1K_Cinemascope": (914, 778, 2.0),
    "2K_Super_35(full-ap)": (2048, 1556, 1.0),
    "2K_Cinemascope": (1828, 1556, 2.0),
    "2K_DCP": (2048, 1080, 1.0),
    "4K_Super_35(full-ap)": (4096, 3112, 1.0),
    "4K_Cinemascope": (3656, 3112, 2.0),
    "4K_DCP": (4096, 2160, 1.0),
    "square_256": (256, 256, 1.0),
    "square_512": (512, 512, 1.0),
    "square_1K": (1024, 1024, 1.0),
    "square_2K": (2048, 2048, 1.0),
}


@pytest.fixture
def short(make_shot):
    return make_shot(range(1001, 1005), "short")


def assert_same(one, other, numbers):
    for frame in numbers:
        np.testing.assert_array_equal(one.alpha(frame), other.alpha(frame))


def put_varying_data_windows(shot, pictures):
    """Give the frames of a short clip: full frame, overscan, a part of the frame, and a shifted window."""
    places = {1001: (0, 0, 64, 48), 1002: (-8, -4, 80, 56), 1003: (10, 12, 20, 20), 1004: (32, 24, 64, 48)}
    for frame, (x, y, w, h) in places.items():
        shot.put_plate(frame, pictures.scene(frame, h, w), display=(0, 0, 64, 48), origin=(x, y))
    return {frame: FULL.union(Rect(*place)) for frame, place in places.items()}


@pytest.mark.parametrize("roi", ["off", "auto", "0,0,64,48"])
def test_data_windows_may_vary(bench, short, temporal, pictures, roi):
    canvases = put_varying_data_windows(short, pictures)
    outcome = bench.run(short, temporal(3, 1), roi=roi)
    for frame, canvas in canvases.items():
        assert outcome.geometry(frame) == Geometry(FULL, canvas)
        alpha = outcome.alpha(frame)
        assert alpha.shape == (canvas.h, canvas.w)
        assert alpha[24 - canvas.y, 25 - canvas.x] > 0.4


def test_with_the_region_off_overscan_is_refined_too(bench, short, temporal, pictures):
    canvases = put_varying_data_windows(short, pictures)
    outcome = bench.run(short, temporal(3, 1, constant=0.7), roi="off")
    for frame in canvases:
        np.testing.assert_allclose(outcome.alpha(frame), 0.7, atol=1e-6)


def test_varying_data_windows_give_the_same_bits_in_a_partial_refine(make_bench, short, temporal, pictures):
    put_varying_data_windows(short, pictures)
    whole = make_bench().run(short, temporal(3, 1), roi="off")
    for frame in range(1001, 1005):
        partial = make_bench().run(short, temporal(3, 1), roi="off", frame_ranges=str(frame))
        assert_same(whole, partial, [frame])


def test_a_data_window_inside_the_display_window_gives_a_full_frame_alpha(bench, short, pictures):
    for frame in range(1001, 1005):
        short.put_plate(frame, pictures.scene(frame, 20, 20), display=(0, 0, 64, 48), origin=(20, 20))
    outcome = bench.run(short, PASSTHROUGH)
    assert outcome.geometry(1002) == Geometry(FULL, FULL)
    np.testing.assert_array_equal(outcome.alpha(1002), pictures.disc(25, 24))


def test_a_display_window_that_does_not_begin_at_zero(make_bench, short, temporal, pictures):
    plain = make_bench().run(short, temporal(), roi="8,8,40,32")
    for frame in range(1001, 1005):
        short.put_plate(frame, pictures.scene(frame), display=(100, -20, 64, 48), origin=(100, -20))
    moved = make_bench().run(short, temporal(), roi="8,8,40,32")
    assert moved.done.roi == [8, 8, 40, 32]
    assert moved.geometry(1001).display == Rect(100, -20, 64, 48)
    assert_same(plain, moved, range(1001, 1005))


def test_pixel_aspect_is_kept(bench, short, pictures):
    for frame in range(1001, 1005):
        short.put_plate(frame, pictures.scene(frame), aspect=2.0)
    assert bench.run(short, PASSTHROUGH).geometry(1003).pixel_aspect == 2.0


def job_at(bench, make_shot, pictures, size, aspect=1.0):
    """Run a job of two frames; one file, written once, is the plate and the mask of both."""
    width, height = size
    shot = make_shot([], f"at{width}x{height}")
    picture = np.zeros((height, width, 4), np.float32)
    picture[height // 4 : -(height // 4), width // 4 : -(width // 4)] = 0.5, 0.5, 0.5, 1
    file = pictures.write(shot.folder / "source.exr", picture, "RGBA", aspect=aspect)
    pictures.settle(file)
    for number in (1001, 1002):
        os.link(file, shot.plate_file(number))
        os.link(file, shot.mask_file(number))
    return bench.run(shot, PASSTHROUGH)


@pytest.mark.slow
@pytest.mark.parametrize("name", NUKE_FORMATS)
def test_jobs_at_all_of_nukes_formats_end_well_and_are_judged(bench, make_shot, pictures, name):
    width, height, aspect = NUKE_FORMATS[name]
    outcome = job_at(bench, make_shot, pictures, (width, height), aspect)
    assert (outcome.done.computed, outcome.done.judged, outcome.done.warnings) == (2, 2, [])
    geometry = outcome.geometry(1002)
    assert (geometry.display, geometry.pixel_aspect) == (Rect(0, 0, width, height), pytest.approx(aspect))


@pytest.mark.parametrize("size", [(1025, 16), (16, 1025), (1050, 576), (1998, 1080), (961, 17), (16, 16)])
def test_jobs_at_odd_sizes_are_judged(bench, make_shot, pictures, size):
    outcome = job_at(bench, make_shot, pictures, size)
    assert (outcome.done.computed, outcome.done.judged) == (2, 2)
