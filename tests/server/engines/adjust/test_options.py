import pytest
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput
from videomama_client.setting_spec import specs_of
from videomama_client.settings import MatteSettings
from videomama_server.engines.adjust.options import AdjustOptions


def test_options_come_from_the_settings_of_a_job():
    asked = (EngineOption("grow", -1.5), EngineOption("deflicker_radius", 3))
    assert AdjustOptions.of(MatteSettings(engine_options=asked)) == AdjustOptions(grow=-1.5, deflicker_radius=3)
    assert AdjustOptions.of(MatteSettings()) == AdjustOptions()


@pytest.mark.parametrize(("black", "white"), [(0.5, 0.5), (0.6, 0.2)])
def test_a_white_point_that_is_not_above_the_black_point_is_refused(black, white, raises_with_hint):
    with raises_with_hint(BadInput, f"white point {white:g} must be above the black point {black:g}"):
        AdjustOptions(black=black, white=white).check()


def test_a_white_point_above_the_black_point_passes():
    AdjustOptions(black=0.5, white=0.501).check()


def test_every_option_says_what_it_does_and_has_both_bounds():
    for spec in specs_of(AdjustOptions):
        assert spec.help.endswith(".")
        assert spec.low < spec.high
        assert spec.low <= spec.default <= spec.high
