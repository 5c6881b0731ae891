from dataclasses import replace

import pytest
from videomama_server.cache.memo import Facts
from videomama_server.media.declared_colour import Declared
from videomama_server.media.frames import Seen
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.media.mask_values import MaskLook
from videomama_server.pipeline import doubts

FULL = Rect(0, 0, 64, 48)
PLAIN = Geometry(FULL, FULL)
SOUND = MaskLook(largest=1.0, edge=0.0, outside=0.8, sure=0.98)


def masks(*looks, **facts):
    return {1001 + n: Facts("d", PLAIN, look=look, peak=1.0, **facts) for n, look in enumerate(looks)}


def test_a_sound_mask_raises_no_doubt():
    assert doubts.of_masks(masks(SOUND, SOUND)) == []


@pytest.mark.parametrize(
    "look",
    [
        replace(SOUND, edge=0.8, outside=0.3),  # a close-up that touches all four edges
        replace(SOUND, edge=1.0, outside=0.001),  # one that fills the frame but for some pixels
        replace(SOUND, sure=0.15, outside=0.6),  # a very soft one
        replace(SOUND, largest=1.02),  # filters and sums make such values
    ],
)
def test_what_real_masks_look_like_raises_no_doubt(look):
    assert doubts.of_masks(masks(look)) == []


def said(*looks, **facts):
    (doubt,) = doubts.of_masks(masks(*looks, **facts))
    return doubt


def test_the_largest_value_is_named():
    doubt = said(SOUND, replace(SOUND, largest=255.0), replace(SOUND, largest=200.0))
    assert "up to 255 on frames 1002-1003" in doubt
    assert "divide" in doubt


def test_values_of_a_bright_plate_raise_the_question_whether_files_are_swapped():
    doubt = said(replace(SOUND, largest=4.4))
    assert "up to 4.4 " in doubt
    assert "are plate and mask swapped" in doubt
    assert "divide" not in doubt


def test_whole_numbers_above_one_are_told_however_little():
    assert "up to 2 " in said(replace(SOUND, largest=2.0), is_float=False)


def test_an_inverted_mask_is_asked_about_where_most_frames_look_so():
    inverted = replace(SOUND, edge=1.0, outside=0.1)
    assert "is the mask inverted?" in said(inverted, inverted, SOUND)
    assert doubts.of_masks(masks(inverted, SOUND, SOUND)) == []


def test_a_picture_in_the_place_of_the_mask_is_asked_about():
    assert "swapped" in said(SOUND, replace(SOUND, is_picture=True))
    assert "swapped" in said(replace(SOUND, sure=0.02))


def test_colours_are_listed_with_the_option_that_chooses():
    doubt = said(replace(SOUND, colours=("#800000", "#008000")), replace(SOUND, colours=("#008000", "#808000")))
    assert "#008000, #800000, #808000" in doubt
    assert "--mask-colour" in doubt
    assert "and 8 more" in said(replace(SOUND, colours=tuple(f"#0000{n:02x}" for n in range(1, 21))))


def test_turned_pictures_are_told_once():
    assert "mask was turned upright" in said(SOUND, SOUND, orientation=6)
    (doubt,) = doubts.of_plate("auto", Seen(PLAIN, orientation=3))
    assert "plate was turned upright" in doubt
    assert "(3)" in doubt


def test_a_colour_space_that_is_not_known_is_told():
    (doubt,) = doubts.of_plate("auto", Seen(PLAIN, declared=Declared("gamma 1.5")))
    assert "gamma 1.5" in doubt
    assert doubts.of_plate("ACEScg", Seen(PLAIN, declared=Declared("gamma 1.5"))) == []


def test_plates_that_declare_several_colour_spaces_are_told():
    (doubt,) = doubts.of_plate("auto", Seen(PLAIN), [1004, 1005])
    assert "all were taken as lin_rec709" in doubt
    assert "1004-1005" in doubt
    assert doubts.of_plate("ACEScg", Seen(PLAIN), [1004]) == []
