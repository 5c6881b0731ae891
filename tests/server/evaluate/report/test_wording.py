"""How figures are written, and that no measure lacks its words."""

import pytest
from videomama_server.evaluate.asked import MEASURES
from videomama_server.evaluate.report.wording import LABELS, Label, shown


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(1.005, 2, "1.00"), (1.006, 2, "1.01"), (12.34, 1, "12.3"), (0, 3, "0.000"), (None, 2, "-")],
)
def test_a_figure_has_fixed_decimals_and_none_is_a_dash(value, decimals, text):
    assert shown(value, decimals) == text


@pytest.mark.parametrize(
    ("measure", "text"), [("mad", "0.12"), ("mad_t", "0.1"), ("j", "0.123"), ("foreground_mad", "0.1")]
)
def test_each_measure_has_its_own_decimals(measure, text):
    assert LABELS[measure].text(0.1234) == text


def test_every_measure_has_a_label_and_those_that_are_no_error_are_known():
    assert set(MEASURES) <= LABELS.keys()
    assert {name for name, label in LABELS.items() if not label.is_error} == {"flicker", "jf", "j", "f"}


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Label) == {"is_error": True}


def test_decimals_are_as_many_as_a_measure_is_published_with():
    decimals = dict.fromkeys(LABELS, 2) | dict.fromkeys(("mad_t", "messddt", "foreground_mad", "foreground_mse"), 1)
    assert {name: label.decimals for name, label in LABELS.items()} == decimals | {"jf": 3, "j": 3, "f": 3, "haze": 0}
    assert shown(0.1234) == "0.12"
