import pytest


@pytest.fixture
def slopes(load_bench):
    return load_bench("soak_slopes")


def rows(values, start=0, worker=1, each=10.0):
    return [(start + index * each, worker, value) for index, value in enumerate(values)]


def slope_of(slopes, name, *runs):
    return slopes.slopes([slopes.Series(name, [row for run in runs for row in run])])[name]


def test_what_grows_has_a_slope_outside_its_band(slopes):
    found = slope_of(slopes, "server memory, MB", rows([100 + index * 0.1 for index in range(360)]))
    assert found["per_hour"] == pytest.approx(36, rel=0.01)
    assert found["r2"] == pytest.approx(1)
    assert found["band"] < 0.1


def test_what_stays_has_none(slopes):
    found = slope_of(slopes, "server descriptors", rows([20 + index % 2 for index in range(360)]))
    assert abs(found["per_hour"]) < found["band"]


def test_each_worker_has_a_level_of_its_own(slopes):
    runs = [rows([level] * 60, start=600 * index, worker=index) for index, level in enumerate((100.0, 200.0, 300.0))]
    assert slope_of(slopes, "worker memory, MB", *runs)["per_hour"] == 0
    assert slope_of(slopes, "server memory, MB", *runs)["per_hour"] > 100
