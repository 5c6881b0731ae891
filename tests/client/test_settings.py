from dataclasses import FrozenInstanceError

import pytest
from videomama_client.errors import BadInput
from videomama_client.settings import MatteSettings


def test_the_defaults_make_sense():
    MatteSettings().check()


@pytest.mark.parametrize(
    "values",
    [
        {"exposure": 33.0},
        {"exposure": float("nan")},
        {"exposure": float("-inf")},
        {"mask_threshold": 0.0},
        {"mask_threshold": 1.01},
        {"trimap_erode": -1.0},
        {"trimap_dilate": 501.0},
        {"quality": "best"},
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_what_would(values):
    with pytest.raises(BadInput) as caught:
        MatteSettings(**values).check()
    assert str(next(iter(values.values())))[:4] in caught.value.message or "nan" in caught.value.message
    assert caught.value.hint


def test_settings_never_change():
    with pytest.raises(FrozenInstanceError):
        MatteSettings().engine = "classic"
