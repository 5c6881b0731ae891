import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from videomama_server.engines.videomama.canvas import MULTIPLE, Canvas, _up, candidates, parse, resized

sizes = st.tuples(st.integers(8, 2500), st.integers(8, 4500))


def ramp(h, w):
    y, x = np.mgrid[:h, :w].astype(np.float32)
    return (0.5 + 0.25 * np.sin(x / 9) + 0.25 * np.cos(y / 7)).astype(np.float32)


@given(sizes, st.booleans())
def test_candidates_are_multiples_of_64_that_shrink_and_keep_the_aspect(region, fast):
    found = list(candidates(region, fast))
    assert found
    assert all(side % MULTIPLE == 0 for size in found for side in size)
    areas = [h * w for h, w in found]
    assert areas == sorted(areas, reverse=True)
    for size in found:
        canvas = Canvas(region, size)
        share = canvas.inner[0] * canvas.inner[1] / (size[0] * size[1])
        assert share > 0.2 or min(size) == MULTIPLE


def test_the_best_canvas_by_size_of_region():
    def best(region, fast=False):
        return next(iter(candidates(region, fast)))

    assert best((1080, 1920)) == (1088, 1856)  # 1.9 million pixels, rounded up
    assert best((1080, 1920), fast=True) == (576, 1024)
    assert best((2160, 4096)) == best((4320, 8192))
    assert best((576, 1024)) == (576, 1024)
    assert best((200, 200)) == (448, 448)  # twice, no more
    assert best((700, 900)) == (704, 960)  # as it is


def test_what_is_placed_comes_back():
    picture = ramp(200, 300)
    canvas = Canvas((200, 300), (256, 320))
    placed = canvas.place(picture)
    assert placed.shape == (1, 256, 320)
    back = canvas.lift(placed[0].numpy(), None)
    assert back.shape == (200, 300)
    assert np.abs(back - picture)[4:-4, 4:-4].mean() < 0.004


def test_a_canvas_of_the_regions_size_changes_no_bit():
    picture = ramp(128, 192)
    canvas = Canvas((128, 192), (128, 192))
    np.testing.assert_array_equal(canvas.place(picture)[0].numpy(), picture)
    np.testing.assert_array_equal(canvas.lift(picture, None), picture)


def test_the_margin_is_a_reflection():
    picture = ramp(128, 100)
    placed = Canvas((128, 100), (128, 128)).place(picture)[0].numpy()
    np.testing.assert_array_equal(placed[:, 14:114], picture)
    np.testing.assert_array_equal(placed[:, 13], picture[:, 1])
    np.testing.assert_array_equal(placed[:, 114], picture[:, -2])


@pytest.mark.parametrize("region", [(8, 600), (600, 8), (8, 8), (1, 64)])
def test_slivers_are_placed_too(region):
    canvas = Canvas(region, next(iter(candidates(region, fast=False))))
    placed = canvas.place(np.full(region, 0.25, np.float32))
    assert placed.shape[1:] == canvas.size
    assert torch.allclose(placed, torch.tensor(0.25))
    assert canvas.lift(placed[0].numpy(), None).shape == region


def test_stretched_fills_the_canvas():
    canvas = Canvas((100, 300), (128, 128), stretched=True)
    assert canvas.inner == (128, 128)
    assert canvas.lift(canvas.place(ramp(100, 300))[0].numpy(), None).shape == (100, 300)


@pytest.mark.parametrize("size", [(33, 47), (128, 128), (250, 411)])
def test_resizing_is_pils_bilinear_on_floats(size):
    picture = ramp(128, 200)
    by_pil = np.asarray(Image.fromarray(picture).resize(size[::-1], Image.Resampling.BILINEAR))
    ours = resized(torch.from_numpy(picture)[None], size)[0].numpy()
    np.testing.assert_allclose(ours, by_pil, atol=2e-6)


@pytest.mark.parametrize(("size", "stretched", "guides"), [((64, 128), False, True), ((64, 128), True, False)])
def test_colours_guide_what_the_canvas_shows_smaller_but_not_as_published(size, stretched, guides):
    assert Canvas((256, 512), size, stretched=stretched).guides == guides
    assert not Canvas(size, size, stretched=stretched).guides


@pytest.mark.parametrize("size", [(64, 128), (128, 128), (448, 832)])
def test_averaging_keeps_the_mean_and_enlarging_the_range(size):
    picture = ramp(256, 512)
    small = Canvas((256, 512), size).reduced(picture)
    assert small.shape == Canvas((256, 512), size).inner
    assert abs(small.mean() - picture.mean()) < 2e-3
    assert small.min() >= picture.min()
    assert small.max() <= picture.max()


def test_a_canvas_is_read():
    assert parse("auto") is None
    assert parse("1024x576") == (576, 1024)


@pytest.mark.parametrize(("text", "size"), [("1280x720", (768, 1280)), ("1x1", (64, 64)), ("1000x576", (576, 1024))])
def test_a_canvas_of_any_size_is_taken_and_padded(text, size):
    assert parse(text) == size


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Canvas) == {"stretched": False}


@pytest.mark.parametrize(
    ("region", "fast", "sizes"),
    [
        (
            (1080, 1920),
            False,
            [
                (1088, 1856),
                (960, 1664),
                (832, 1472),
                (768, 1344),
                (704, 1216),
                (640, 1088),
                (576, 960),
                (512, 896),
                (448, 768),
                (384, 704),
                (384, 640),
                (320, 576),
                (320, 512),
                (256, 448),
                (256, 384),
            ],
        ),
        (
            (1080, 1920),
            True,
            [
                (576, 1024),
                (576, 960),
                (512, 832),
                (448, 768),
                (384, 704),
                (384, 640),
                (320, 576),
                (320, 512),
                (256, 448),
                (256, 384),
            ],
        ),
        ((200, 200), False, [(448, 448), (384, 384), (320, 320)]),
        ((40, 40), False, [(128, 128)]),
        (
            (100, 900),
            True,
            [(256, 1856), (192, 1664), (192, 1472), (192, 1344), (128, 1152), (128, 1088), (128, 960), (128, 832)],
        ),
    ],
)
def test_canvases_are_proposed_by_steps_of_area_down_to_the_least(region, fast, sizes):
    """Keys hold the canvas: another list would compute alphas again that are there."""
    assert list(candidates(region, fast)) == sizes


@pytest.mark.parametrize(
    ("region", "size", "inner"),
    [
        ((100, 300), (128, 320), (107, 320)),
        ((300, 100), (320, 128), (320, 107)),
        ((1, 900), (64, 448), (1, 448)),
        ((900, 1), (448, 64), (448, 1)),
        ((100, 100), (128, 192), (128, 128)),
    ],
)
def test_a_region_keeps_its_aspect_on_the_canvas_and_never_less_than_a_pixel(region, size, inner):
    canvas = Canvas(region, size)
    assert canvas.inner == inner
    assert canvas.reduces == (inner[0] < region[0] or inner[1] < region[1])
    rows, columns = np.nonzero(canvas.place(np.ones(region, np.float32))[0].numpy())
    assert (rows.size, columns.size) == (size[0] * size[1],) * 2
    marked = canvas.take(np.arange(size[0] * size[1], dtype=np.float32).reshape(size))
    assert marked.shape == inner
    assert marked[0, 0] == (size[0] - inner[0]) // 2 * size[1] + (size[1] - inner[1]) // 2


def test_sides_are_rounded_up_to_64_but_for_what_is_rounding():
    assert [_up(side) for side in (1, 64, 64.0004, 64.0006, 65, 128)] == [64, 64, 64, 128, 128, 128]


def test_an_enlarged_region_stays_within_0_and_1():
    canvas = Canvas((8, 8), (64, 64), stretched=True)
    lifted = canvas.lift(np.linspace(-1, 2, 64 * 64, dtype=np.float32).reshape(64, 64), None)
    assert (lifted.min(), lifted.max()) == (0, 1)


@pytest.mark.parametrize(("region", "size"), [((60, 90), (64, 128)), ((200, 300), (64, 128)), ((64, 128), (64, 128))])
def test_stretched_colours_are_reduced_channel_by_channel(region, size):
    channels = [ramp(*region), ramp(*region) ** 2, 1 - ramp(*region)]
    canvas = Canvas(region, size, stretched=True)
    found = canvas.reduced(np.dstack(channels))
    assert found.shape == (*size, 3)
    for at, channel in enumerate(channels):
        np.testing.assert_allclose(found[..., at], canvas.reduced(channel), atol=1e-6)
