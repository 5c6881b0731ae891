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


def test_a_mask_may_have_64_colours_and_no_more():
    codes = np.arange(65, dtype=np.float32)
    rgb = np.stack([codes, codes * 0, 200 - codes], axis=1)[None] / np.float32(255)
    assert len(subject_of_colours(rgb[:, :64], "", False)[1]) == 64
    assert subject_of_colours(rgb, "", False) is None
    many = np.repeat(rgb[:, :1], 100_000, axis=1)
    many[0, 1:129:2] = rgb[0, 1:65]  # more than the sample can show
    assert subject_of_colours(many, "", False) is None
    many[0, 127] = rgb[0, 0]
    assert len(subject_of_colours(many, "", False)[1]) == 64


@pytest.mark.parametrize(("apart", "coloured"), [(8, False), (9, True)])
@pytest.mark.parametrize("channel", [0, 1, 2])
def test_channels_of_grey_may_be_eight_levels_apart(channel, apart, coloured):
    rgb = np.full((2, 3, 3), 100, np.float32)
    rgb[1, 1, channel] += apart
    assert is_coloured(rgb / 255) == coloured


@pytest.mark.parametrize(("off", "subject"), [(2, 1), (3, 0)])
def test_a_named_colour_may_be_two_levels_off(off, subject):
    rgb = np.array([[[100 + off, 50, 25]], [[100, 50 - off, 25]], [[100, 50, 25 + off]]], np.float32) / np.float32(255)
    mask, colours = subject_of_colours(rgb, "#643219", False)
    assert mask.mean() == subject
    assert colours == ("#643219",)


def test_of_a_named_colour_odd_values_are_none():
    rgb = np.array([[[np.nan] * 3, [np.inf] * 3, [-1.0] * 3, [2.0] * 3]], np.float32)
    assert subject_of_colours(rgb, "#ffffff", False)[0].tolist() == [[0, 1, 0, 1]]
    assert subject_of_colours(rgb, "#000000", False)[0].tolist() == [[1, 0, 1, 0]]


@pytest.mark.parametrize(("value", "sure"), [(0.019, 1), (0.021, 0), (0.979, 0), (0.981, 1)])
def test_values_near_0_and_1_are_sure(value, sure):
    values = np.full((10, 20), value, np.float32)
    assert look(values, values, (), False).sure == sure


@pytest.mark.parametrize(("size", "rim"), [((10, 12), 1), ((149, 300), 1), ((151, 300), 2), ((300, 151), 2)])
def test_the_edge_is_a_hundredth_of_the_shorter_side(size, rim):
    for inner in (rim, rim + 1):
        values = np.zeros(size, np.float32)
        values[:inner] = values[-rim:] = 1
        values[:, :rim] = values[:, -rim:] = 1
        assert look(values, values, ("#ff0000",), True).edge == 1
        values[rim - 1, :] = 0
        assert look(values, values, (), False).edge < 1


def test_each_side_of_the_edge_counts():
    whole = np.ones((200, 300), np.float32)
    for side in (np.s_[:2], np.s_[-2:], np.s_[:, :2], np.s_[:, -2:]):
        values = whole.copy()
        values[side] = 0
        assert look(values, values, (), False).edge == 0
        values[side] = 0.5
        assert look(values, values, (), False).edge == 1


def test_a_look_keeps_what_it_is_given():
    found = look(np.ones((4, 4), np.float32), np.ones((4, 4), np.float32), ("#ff0000",), True)
    assert (found.colours, found.is_picture) == (("#ff0000",), True)


@pytest.mark.parametrize(
    ("change", "coloured"),
    [
        (lambda png, at: png, True),
        (lambda png, at: png[:25] + b"\x02" + png[26:], False),  # true colour: its palette is a suggestion
        (lambda png, at: png[:26], False),
        (lambda png, at: png[: at + 4 + 11], False),  # cut within the palette
        (lambda png, at: png[: at - 4] + (11).to_bytes(4, "big") + png[at:], False),  # no whole colours
        (lambda png, at: png[: at - 4] + (3).to_bytes(4, "big") + png[at:], False),  # black alone
        (lambda png, at: png[: at - 4] + (6).to_bytes(4, "big") + png[at:], True),
        (lambda png, at: png[: at - 4] + bytes(5000) + png[at - 4 :], False),  # too far in
    ],
    ids=["whole", "true colour", "short", "cut", "odd", "black", "two", "far"],
)
def test_a_palette_counts_where_it_is_whole_and_in_its_place(odd, tmp_path, change, coloured):
    png = odd.palette_png(np.zeros((48, 64), np.uint8), DAVIS)
    path = tmp_path / "p.PNG"
    path.write_bytes(change(png, png.index(b"PLTE")))
    assert has_coloured_palette(path) == coloured
    assert not has_coloured_palette(path.rename(tmp_path / "p.tif"))
