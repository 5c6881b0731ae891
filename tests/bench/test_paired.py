import pytest

FEW = {"mad": 0.5, "mse": 0.3, "grad": 0.4, "dtssd": 0.6}


@pytest.fixture
def paired(load_bench):
    return load_bench("paired")


def figures(**clips):
    return {"classic": {"exact": {name: {**FEW, **changed} for name, changed in clips.items()}}}


def test_a_summary_has_mean_and_worst_and_names_the_worst_clip(paired):
    row = paired.summary(figures(hair={}, fur={"mad": 0.9, "grad": 0.2})["classic"])["exact"]
    assert (row["mad"], row["worst_mad"], row["worst_clip"]) == (0.7, 0.9, "fur")
    assert (row["grad"], row["worst_grad"]) == (0.3, 0.4)


def test_what_got_more_than_five_percent_worse_is_named_the_largest_first(paired):
    before, after = figures(hair={}, fur={}), figures(hair={"mad": 0.526}, fur={"dtssd": 0.9})
    found = paired.worse(paired.changes(before, after, "classic"))
    assert [(change.clip, change.measure) for change in found] == [("fur", "dtssd"), ("hair", "mad")]
    assert found[0].times == pytest.approx(1.5)


def test_five_percent_are_allowed_and_mse_is_not_ruled(paired):
    after = figures(hair={"mad": 0.524, "grad": 0.1, "mse": 0.9})
    assert paired.worse(paired.changes(figures(hair={}), after, "classic")) == []


def test_clips_and_masks_that_only_one_has_are_left_out(paired):
    before, after = figures(hair={}), figures(fur={"mad": 2.0})
    assert paired.changes(before, after, "classic") == []
    assert paired.verdict([])["pairs"] == 0


def test_a_verdict_has_geometric_means_by_quality(paired):
    before, after = figures(hair={}, fur={}), figures(hair={"mad": 0.25}, fur={"mad": 1.0})
    verdict = paired.verdict(paired.changes(before, after, "classic"))
    assert verdict["times"]["exact"]["mad"] == pytest.approx(1.0)
    assert verdict["worst"].startswith("fur exact mad 0.500 -> 1.000")
    assert len(verdict["worse"]) == 1
