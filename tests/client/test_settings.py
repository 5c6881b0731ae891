from dataclasses import FrozenInstanceError
from typing import get_args, get_type_hints

import pytest
from videomama_client.errors import BadInput
from videomama_client.settings import LONGEST_WINDOW, MatteSettings, parse_colours


def test_the_defaults_make_sense():
    MatteSettings().check()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"exposure": 33.0}, "--exposure 33"),
        ({"exposure": float("nan")}, "exposure nan"),
        ({"exposure": float("-inf")}, "exposure -inf"),
        ({"mask_threshold": 0.0}, "--mask-threshold 0"),
        ({"mask_threshold": 1.01}, "--mask-threshold 1.01"),
        ({"mask_slack": -1.0}, "--mask-slack -1"),
        ({"trimap_erode": -1.0}, "--trimap-erode -1"),
        ({"trimap_dilate": 501.0}, "--trimap-dilate 501"),
        ({"quality": "best"}, "quality is called 'best'"),
        ({"mask_colour": "red"}, "mask colour 'red'"),
        ({"mask_colour": "#80000"}, "mask colour '#80000'"),
        ({"mask_colour": "256,0,0"}, "mask colour '256,0,0'"),
        ({"mask_colour": "1,2"}, "mask colour '1,2'"),
        ({"mask_colour": "#800000 1,2,3,4"}, "mask colour '1,2,3,4'"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_what_would(values, said):
    with pytest.raises(BadInput) as caught:
        MatteSettings(**values).check()
    assert said in caught.value.message
    assert caught.value.hint


BOUNDS = {
    "exposure": (-32, 32),
    "mask_threshold": (0.001, 1),
    "mask_slack": (0, 200),
    "trimap_erode": (0, 500),
    "trimap_dilate": (0, 500),
    "mask_grow": (-200, 200),
    "mask_close_holes": (0, 200),
    "window": (1, LONGEST_WINDOW),
    "overlap": (0, LONGEST_WINDOW // 2),
    "seed": (0, 2**63 - 1),
    "feedback": (0, 4),
}


def test_every_setting_that_is_a_number_has_bounds():
    hints = get_type_hints(MatteSettings)
    assert {name for name, hint in hints.items() if {int, float} & {hint, *get_args(hint)}} == BOUNDS.keys()


@pytest.mark.parametrize("name", BOUNDS)
def test_a_number_may_be_at_its_bounds_and_not_beyond(name):
    lowest, highest = BOUNDS[name]
    step = 0.001 if name == "mask_threshold" else 1
    for value in (lowest, highest):
        MatteSettings(**{name: value}).check()
    for value in (lowest - step, highest + step):
        with pytest.raises(BadInput) as caught:
            MatteSettings(**{name: value}).check()
        assert caught.value.message == f"--{name.replace('_', '-')} {value:g} is out of range"


@pytest.mark.parametrize(
    ("text", "colours"),
    [
        ("", ()),
        ("#800000", ((128, 0, 0),)),
        ("#80fF00 #000001", ((128, 255, 0), (0, 0, 1))),
        ("#800000,#008000;#000080", ((128, 0, 0), (0, 128, 0), (0, 0, 128))),
        ("128,0,0", ((128, 0, 0),)),
        ("128, 0, 0; 0,128,0 7,8,9", ((128, 0, 0), (0, 128, 0), (7, 8, 9))),
    ],
)
def test_colours_are_read_as_people_write_them(text, colours):
    assert parse_colours(text) == colours


def test_settings_never_change():
    with pytest.raises(FrozenInstanceError):
        MatteSettings().engine = "classic"
