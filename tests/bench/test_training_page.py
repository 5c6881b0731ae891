import pytest


@pytest.mark.slow
def test_the_page_says_what_is_counted(load_bench):
    """The first stage at its full size, 16 s; the other lines are made by the same code."""
    module = load_bench("training_page")
    recipe = module.recipe_of("spatial")
    needed = module.estimate(module.full_videomama(recipe, False), recipe)
    line = module.shown("`spatial`, 1 x 1024x1024", needed, recipe)
    assert line in module.PAGE.read_text(encoding="utf-8").splitlines(), "run python bench/training_page.py"


def test_hours_on_the_page_follow_from_work_and_peak(load_bench):
    module = load_bench("training_page")
    rows = []
    for line in module.PAGE.read_text(encoding="utf-8").splitlines():
        if not line.startswith(("| `spatial`, ", "| `temporal`, ", "| SAM 2.1 ")):
            continue
        cells = line.strip("| ").split(" | ")
        work, seconds, hours = float(cells[4].replace(",", "")), float(cells[5]), float(cells[7].removesuffix(" h"))
        assert seconds == pytest.approx(work / (989 * 0.35), abs=0.06)
        assert hours == pytest.approx(10_000 * work / (989 * 0.35) / 3600, abs=0.06)
        rows.append(cells)
    assert len(rows) == 8


def test_a_table_takes_its_place_and_what_is_around_stays(load_bench):
    module = load_bench("training_page")
    text = "a\n<!-- made by bench/training_page.py: x -->\nold\n<!-- end -->\nb\n<!-- end -->\n"
    assert module.with_table(text, "x", "new").splitlines() == [
        "a", "<!-- made by bench/training_page.py: x -->", "new", "<!-- end -->", "b", "<!-- end -->",
    ]  # fmt: skip
