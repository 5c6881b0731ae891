import numpy as np
import pytest
from videomama_server.media.mask_values import MaskLook, has_coloured_palette, is_coloured, look, subject_of_colours

DAVIS = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)]


@pytest.fixture(scope="module")
def odd(load_bench):
    return load_bench("odd_pictures")


def blocks(*colours, height=48, width=64):
    """Return a picture (H, W, 3) of columns of colours, 0..255."""
    columns = np.array(colours, np.float32)[np.arange(width) * len(colours) // width]
    return np.ascontiguousarray(np.broadcast_to(columns / 255, (height, width, 3)), np.float32)


def test_every_colour_but_black_is_subject():
    mask, colours = subject_of_colours(blocks(*DAVIS), "", False)
    assert colours == ("#008000", "#800000", "#808000")
    np.testing.assert_array_equal(mask, np.repeat([0, 1, 1, 1], 16)[None].repeat(48, axis=0))


@pytest.mark.parametrize("wanted", ["#008000 #808000", "0,128,0; 128,128,0", "#008000,#808000"])
def test_named_colours_alone_are_subject(wanted):
    mask, _ = subject_of_colours(blocks(*DAVIS), wanted, False)
    np.testing.assert_array_equal(mask[0], np.repeat([0, 0, 1, 1], 16))


def test_colours_are_found_in_floats_and_in_16_bits_alike():
    exact = blocks((0, 0, 0), (255, 0, 0), (0, 0, 255))
    for rgb in (exact, exact.astype(np.float16).astype(np.float32), exact * np.float32(0.9999)):
        mask, colours = subject_of_colours(rgb, "", False)
        assert colours == ("#0000ff", "#ff0000")
        assert mask.mean() == pytest.approx(2 / 3, abs=0.02)


@pytest.mark.parametrize("noise", [0, 1, 5])
def test_grey_is_no_mask_of_colours(noise):
    grey = blocks((0, 0, 0), (128, 128, 128 + noise), (255, 255, 255))
    assert not is_coloured(grey)
    assert subject_of_colours(grey, "", False) is None


def test_a_picture_of_many_colours_is_no_mask_of_colours():
    picture = np.random.default_rng(1).random((48, 64, 3), np.float32)
    assert is_coloured(picture)
    assert subject_of_colours(picture, "", False) is None


def test_a_smooth_edge_between_two_colours_is_no_mask_of_colours():
    ramp = np.linspace(0, 1, 256, dtype=np.float32)
    rgb = np.stack([ramp, np.zeros_like(ramp), 1 - ramp], axis=1)[None].repeat(48, axis=0)
    assert subject_of_colours(np.ascontiguousarray(rgb), "", False) is None


def test_an_object_that_is_grey_in_a_palette_of_colours_is_subject():
    """The seventh of DAVIS: its frame holds black and grey only, and counts no less than the others."""
    grey = blocks((0, 0, 0), (64, 64, 64))
    assert subject_of_colours(grey, "", False) is None
    mask, colours = subject_of_colours(grey, "", True)
    assert (mask.mean(), colours) == (0.5, ("#404040",))


def test_a_palette_is_known_from_the_file(odd, tmp_path):
    indices = np.zeros((48, 64), np.uint8)
    palettes = {"colours": DAVIS, "grey": [(0, 0, 0), (255, 255, 255)]}
    for name, palette in palettes.items():
        path = tmp_path / f"{name}.png"
        path.write_bytes(odd.palette_png(indices, palette))
        assert has_coloured_palette(path) == (name == "colours")


@pytest.mark.parametrize("content", [b"", b"PLTE", b"\x89PNG" + bytes(21) + b"\x03" + b"\xff\xff\xff\xffPLTE\0\0\0"])
def test_a_damaged_palette_is_none(tmp_path, content):
    path = tmp_path / "p.png"
    path.write_bytes(content)
    assert not has_coloured_palette(path)
    assert not has_coloured_palette(tmp_path / "not-there.exr")


def test_nan_is_black(pictures):
    rgb = blocks((0, 0, 0), (255, 0, 0))
    rgb[:, :10] = np.nan
    mask, colours = subject_of_colours(rgb, "", False)
    assert colours == ("#ff0000",)
    assert mask[0, :32].sum() == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_no_colour(value):
    rgb = blocks((0, 0, 0), (255, 255, 255))
    rgb[:, :10] = value
    assert not is_coloured(rgb)


def test_the_look_of_a_mask_says_how_large_how_sure_and_where_it_is():
    values = np.zeros((100, 200), np.float32)
    values[:, :100] = 3
    values[0, 0] = np.nan
    found = look(values, np.clip(np.nan_to_num(values), 0, 1), (), False)
    assert found.largest == 3
    assert (found.edge, found.sure) == (0, 1)
    assert found.outside == pytest.approx(0.5, abs=1e-3)


def test_a_frame_around_a_hole_is_all_edge():
    values = np.ones((100, 200), np.float32)
    values[40:60, 80:120] = 0
    found = look(values, values, (), False)
    assert (found.edge, found.outside) == (1, pytest.approx(0.04))


def test_a_mask_of_nothing_but_nan_has_no_largest_value():
    values = np.full((20, 20), np.nan, np.float32)
    assert look(values, np.zeros((20, 20), np.float32), (), False).largest == 0


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(MaskLook) == {"largest": 0.0, "is_picture": False, "edge": 0.0, "outside": 0.0, "sure": 1.0}
