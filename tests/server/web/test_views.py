from dataclasses import replace

import numpy as np
import pytest
from videomama_client.engine_settings import TrimapSettings
from videomama_client.errors import BadInput
from videomama_server.engines.edges.trimap import Widths, trimap_of
from videomama_server.media.color import display_transform
from videomama_server.media.frames import write_picture
from videomama_server.media.geometry import Rect
from videomama_server.media.srgb import to_display
from videomama_server.web.clip_files import Clip, ClipFiles, Portion
from videomama_server.web.views import VIEWS, FrameLayers, Wanted, view_called

SIZE = (120, 160)


@pytest.fixture(scope="module")
def shot(tmp_path_factory):
    """Red subject on a blue ground, half covered in a band, and another alpha that is lower."""
    folder = tmp_path_factory.mktemp("shot")
    alpha = np.zeros(SIZE, np.float32)
    alpha[30:90, 40:100] = 1
    alpha[30:90, 100:110] = 0.5
    red, blue = np.array((0.8, 0.1, 0.1), np.float32), np.array((0.1, 0.1, 0.8), np.float32)
    plate = red * alpha[..., None] + blue * (1 - alpha[..., None])
    write_picture(folder / "plate.0001.exr", plate, dtype="float")
    write_picture(folder / "alpha.0001.exr", alpha, ("A",), "float")
    write_picture(folder / "mask.0001.exr", (alpha >= 0.5).astype(np.float32), ("A",), "float")
    write_picture(folder / "other.0001.exr", alpha * 0.75, ("A",), "float")
    write_picture(folder / "ground.exr", np.full((*SIZE, 3), 0.25, np.float32), dtype="float")
    return folder


@pytest.fixture
def clip(shot):
    roles = {role: str(shot / f"{role}.####.exr") for role in ("plate", "mask", "alpha", "other")}
    return Clip(**roles, ground=str(shot / "ground.exr"))


@pytest.fixture
def draw(clip):
    files = ClipFiles(lambda path: path)

    def drawn(view, own=clip, **how):
        wanted = Wanted(view, 1, **how)
        return VIEWS[view].draw(FrameLayers(files, own, wanted))

    return drawn


def test_a_plate_is_in_the_colours_of_the_projects_display(draw, shot):
    expected = display_transform("lin_rec709", 0.0)(np.array([[[0.8, 0.1, 0.1]]], np.float32))[0, 0]
    assert np.allclose(draw("plate")[60, 60], expected, atol=1e-6)


def test_a_stop_of_exposure_is_twice_the_light_and_twice_the_alpha(draw):
    brighter = display_transform("lin_rec709", 1.0)(np.array([[[0.1, 0.1, 0.8]]], np.float32))[0, 0]
    assert np.allclose(draw("plate", stops=1.0)[0, 0], brighter, atol=1e-6)
    assert draw("alpha", stops=-1.0)[60, 60] == 0.5
    assert draw("alpha", stops=1.0)[60, 105] == 1.0


def test_a_comp_mixes_in_linear_light(draw):
    bright = draw("comp_bright")
    assert np.allclose(bright[0, 0], to_display(np.float32(0.8)), atol=1e-4)
    mixed = 0.5 * 0.45 + 0.5 * 0.8  # of red, on the band
    assert bright[60, 105, 0] == pytest.approx(float(to_display(np.float32(mixed))), abs=2e-3)


def test_a_comp_with_the_foregrounds_colour_has_no_fringe_of_the_old_ground(draw):
    blue_of_plate, blue_of_subject = (
        draw("comp_dark", comp_colour=colour)[60, 104, 2] for colour in ("plate", "foreground")
    )
    assert blue_of_subject < blue_of_plate * 0.6


def test_a_comp_over_ones_own_picture_shows_it_where_there_is_no_subject(draw):
    assert np.allclose(draw("comp_own")[0, 0], to_display(np.float32(0.25)), atol=1e-4)


def test_files_of_a_foreground_are_shown_as_they_are_also_where_they_are_multiplied(draw, clip, shot):
    colour, alpha = np.full((*SIZE, 3), 0.5, np.float32), draw("alpha")
    write_picture(shot / "foreground.0001.exr", colour * alpha[..., None], dtype="float")
    own = replace(clip, foreground=str(shot / "foreground.####.exr"), premultiplied=True)
    expected = display_transform("lin_rec709", 0.0)(colour[:1, :1])[0, 0]
    assert np.allclose(draw("foreground", own)[60, 105], expected, atol=1e-4)


def test_a_difference_is_red_where_the_alpha_is_higher_and_blue_where_it_is_lower(draw, clip):
    there, swapped = draw("difference"), draw("difference", replace(clip, alpha=clip.other, other=clip.alpha))
    assert there[60, 60, 0] == pytest.approx(0.25)
    assert there[60, 60, 0] > there[60, 60, 2]
    assert swapped[60, 60, 2] > swapped[60, 60, 0]
    assert (there[0, 0] == 0).all()


def test_a_trimap_is_that_of_the_edge_refiners_for_the_same_numbers(draw):
    settings = TrimapSettings(trimap_preset="wide", trimap_inside=30.0)
    expected = trimap_of(draw("mask"), draw("plate"), Widths.of(settings, 160 / 1920))
    assert np.array_equal(draw("trimap", trimap=settings) * 2, np.round(expected / 127.5))


def test_a_trimap_of_the_alpha_leaves_its_soft_band_unknown(draw):
    settings = TrimapSettings(trimap_mode="probability", trimap_widen=0.0)
    trimap = draw("trimap", trimap=settings, trimap_of="alpha")
    assert (trimap[60, 105], trimap[60, 60], trimap[0, 0]) == (0.5, 1, 0)


@pytest.mark.parametrize("view", [name for name in VIEWS if name != "foreground"])
def test_a_region_holds_the_pixels_of_the_whole(draw, view):
    region = Rect(90, 50, 40, 30)
    whole, part = draw(view), draw(view, portion=Portion(region=region))
    assert np.allclose(part, whole[50:80, 90:130], atol=1e-5)


def test_a_mask_and_a_trimap_tint_the_plate(draw):
    plate, mask, trimap = draw("plate"), draw("mask_over"), draw("trimap_over")
    assert np.allclose(mask[0, 0], plate[0, 0])
    assert not np.allclose(mask[60, 60], plate[60, 60])
    assert np.allclose(trimap[60, 70], plate[60, 70])
    assert trimap[0, 0].sum() < plate[0, 0].sum() / 2


def test_a_checkerboard_keeps_its_place_when_it_is_looked_at_closely(draw):
    small, full = draw("comp_checker", portion=Portion(longest=80)), draw("comp_checker")
    assert np.allclose(small[2, :20], full[4, 1:41:2], atol=1e-5)


def test_a_view_that_there_is_not_is_an_error_that_names_those_there_are():
    with pytest.raises(BadInput, match="unknown view 'aplha'") as error:
        view_called("aplha")
    assert "Did you mean alpha?" in error.value.hint


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Wanted) == {"stops": 0.0, "gamma": 1.0}
