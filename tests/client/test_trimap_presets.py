"""The names of a trimap's width, and the numbers that they stand for."""

import pytest
from videomama_client.engine_settings import TRIMAP_PRESETS, TrimapSettings
from videomama_client.errors import BadInput
from videomama_client.settings import MatteSettings
from videomama_client.trimap_presets import PRESETS, TrimapNumbers, numbers_of, with_numbers


def test_the_presets_have_the_thresholds_that_artists_know_and_widen_one_after_the_other():
    assert tuple(PRESETS) == TRIMAP_PRESETS
    found = [(numbers.foreground, numbers.background) for numbers in PRESETS.values()]
    assert found == [(0.90, 0.10), (0.94, 0.06), (0.97, 0.03), (0.99, 0.01)]
    for name in ("inside", "outside"):
        widths = [getattr(numbers, name) for numbers in PRESETS.values()]
        assert widths == sorted(set(widths))


def test_a_number_that_is_given_takes_the_place_of_the_presets():
    given = TrimapSettings(trimap_preset="wide", trimap_foreground=0.8, trimap_background=0.0, trimap_outside=0.0)
    assert numbers_of(given) == TrimapNumbers(0.8, 0.0, 12.0, 0.0)
    assert numbers_of(TrimapSettings()) == PRESETS["balanced"]


def test_a_preset_and_its_numbers_are_the_same_settings():
    named = MatteSettings.of(engine="vitmatte", trimap_preset="wide")
    exact = MatteSettings.of(
        engine="vitmatte", trimap_foreground=0.94, trimap_background=0.06, trimap_inside=12.0, trimap_outside=18.0
    )
    assert with_numbers(named) == with_numbers(exact)
    assert with_numbers(named) != with_numbers(MatteSettings.of(engine="vitmatte"))


@pytest.mark.parametrize(("mode", "ignored"), [("distance", "trimap_foreground"), ("probability", "trimap_inside")])
def test_a_number_that_the_mode_does_not_look_at_makes_no_other_settings(mode, ignored):
    plain = MatteSettings.of(engine="vitmatte", trimap_mode=mode)
    assert with_numbers(plain) == with_numbers(plain.with_options(**{ignored: 1.0}))


@pytest.mark.parametrize(("above", "below"), [(0.5, 0.5)])
def test_thresholds_with_nothing_between_them_are_refused(above, below):
    with pytest.raises(BadInput, match=r"--trimap-foreground 0\.5 must be above --trimap-background 0\.5"):
        TrimapSettings(trimap_foreground=above, trimap_background=below).check()
    TrimapSettings(trimap_foreground=above, trimap_background=0.4).check()
