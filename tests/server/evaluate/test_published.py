"""Figures of others stand beside ours only where data, masks and size are the same."""

import pytest
from videomama_server.evaluate import published
from videomama_server.evaluate.asked import GIVEN
from videomama_server.evaluate.published import beside
from videomama_server.metrics import MEASURES

HD = (1920, 1080)


def methods(*asked):
    return {one.method for one in beside(*asked)}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (
            ("VideoMatte", "any", HD, GIVEN),
            {"SAM 3 mask", "MaGGIe", "MatAnyone", "MatAnyone 2", "VideoMaMa", "VideoMaMa++"},
        ),
        (("VideoMatte", "any", (512, 288), GIVEN), set()),
        (("VideoMatte", "any", HD, "down8"), set()),
        (("YouTubeMatte", "", HD, "down32"), {"mask", "VideoMaMa"}),
        (("V-HIM60", "comp_hard", None, GIVEN), {"SAM 2 mask", "MatAnyone", "SAM 2 + VideoMaMa", "SAM2-Matte"}),
        (("V-HIM60", "comp_easy", None, GIVEN), set()),
        (("V-HIM60", "comp_hard", (640, 360), "down8"), {"mask", "MaGGIe, fine-tuned", "VideoMaMa"}),
        (("V-HIM60", "comp_hard", (640, 360), "polygon"), {"mask", "MaGGIe, fine-tuned", "VideoMaMa"}),
        (("V-HIM60", "comp_hard", None, "sam2"), {"mask", "MaGGIe, fine-tuned", "VideoMaMa"}),
        (("V-HIM60", "comp_hard", None, "sam2+first"), {"SAM 2 mask", "MatAnyone", "SAM 2 + VideoMaMa", "SAM2-Matte"}),
        (("ours", "hair", HD, GIVEN), set()),
    ],
)
def test_which_figures_stand_beside_ours(asked, found):
    assert methods(*asked) == found


def test_at_the_published_size_both_tables_of_one_part_stand_there():
    assert len(methods("V-HIM60", "comp_hard", HD, GIVEN)) == 6 + 4 - 1  # both have MatAnyone


def test_every_figure_is_of_a_measure_that_we_take_and_says_where_it_is_from():
    for one in published._PUBLISHED:
        assert one.figures.keys() <= set(MEASURES)
        assert all(0 < value < 150 for value in one.figures.values())
        assert one.source
        assert one.differs


def test_the_model_is_better_than_the_masks_it_was_given_in_every_table():
    """As each of these papers says; two figures taken for each other would show here."""
    tables = {}
    for one in published._PUBLISHED:
        tables.setdefault((one.data, one.group, one.masks, one.source), {})[one.method] = one.figures
    for rows in tables.values():
        masks = next(figures for method, figures in rows.items() if "mask" in method)
        ours = next(figures for method, figures in rows.items() if method.endswith("VideoMaMa"))
        assert all(ours[name] < masks[name] for name in masks)


def test_every_figure_is_the_one_that_was_typed_from_its_paper():
    """Sums over the rows of a table, in the order of the measures; a slip of one digit shows."""
    sums = {}
    for one in published._PUBLISHED:
        row = sums.setdefault((one.data, one.masks, "page" if "page" in one.source else "paper"), {})
        for name, value in one.figures.items():
            row[name] = round(row.get(name, 0) + value, 4)
    assert {place: list(row.values()) for place, row in sums.items()} == {
        ("VideoMatte", GIVEN, "page"): [25.72, 2.11, 28.2, 8.67],
        ("YouTubeMatte", GIVEN, "page"): [9.84, 3.11, 40.92, 10.26],
        ("V-HIM60", GIVEN, "page"): [19.39, 9.54, 46.11, 20.53, 33.4],
        ("V-HIM60", GIVEN, "paper"): [18.96, 11.99, 46.08, 344.7],
        ("V-HIM60", "sam2+first", "paper"): [18.96, 11.99, 46.08, 344.7],
        ("V-HIM60", "sam2", "paper"): [10.745],
        ("V-HIM60", "polygon", "paper"): [11.857],
        ("V-HIM60", "down8", "paper"): [6.702, 13.49],
        ("V-HIM60", "down32", "paper"): [9.489, 36.513],
        ("YouTubeMatte", "down8", "paper"): [2.88, 10.065],
        ("YouTubeMatte", "down32", "paper"): [5.232, 39.1],
    }
