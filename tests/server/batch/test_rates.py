"""Rates of a machine: kept in a file, newer ones count more, and a damaged file is none."""

import pytest
from videomama_client.settings import MatteSettings
from videomama_server.batch.rates import Rates, kind_of
from videomama_server.submission import Submission


@pytest.fixture
def rates(tmp_path):
    return Rates(tmp_path / "state" / "rates.json")


def test_a_rate_is_seconds_a_frame_and_megapixel(rates):
    assert rates.seconds("classic", 10, 2.0) is None
    rates.note("classic", 30.0, 10.0)
    assert Rates(rates.path).seconds("classic", 10, 2.0) == pytest.approx(60)
    assert rates.seconds("videomama", 10, 2.0) is None
    rates.note("classic", 10.0, 10.0)
    assert rates.seconds("classic", 10, 2.0) == pytest.approx(40)


def test_a_machine_that_has_become_faster_is_believed(rates):
    rates.note("classic", 40_000, 10_000)
    for _ in range(4):
        rates.note("classic", 500, 500)
    assert rates.seconds("classic", 1, 1) < 2


@pytest.mark.parametrize("content", ["", "[1]", '{"classic": 3}', '{"classic": [1]}', '{"classic": ["a", "b"]}'])
def test_a_damaged_file_holds_no_rates_and_is_replaced(rates, content):
    rates.path.parent.mkdir()
    rates.path.write_text(content)
    assert rates.seconds("classic", 1, 1) is None
    rates.note("classic", 1, 1)
    assert rates.seconds("classic", 1, 1) == 1


def test_nothing_is_noted_of_no_work_and_a_file_that_cannot_be_written_is_no_error(rates):
    rates.note("classic", 0, 1)
    rates.note("classic", 1, 0)
    assert not rates.path.exists()
    rates.path.parent.write_text("a file where the folder should be")
    rates.note("classic", 1, 1)
    assert rates.seconds("classic", 1, 1) is None


def test_the_kind_of_a_job_is_its_engines_and_quality():
    order = Submission("p", "m", "o", MatteSettings.of(engine="classic", quality="fast", mask_slack=3.0))
    assert kind_of(order, "held", ["adjust"]) == "held > classic fast > adjust"
    assert kind_of(Submission("p", "m", "o", MatteSettings()), "", []) == "auto"
