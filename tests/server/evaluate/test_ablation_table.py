import json

from videomama_server.evaluate import ablation_table
from videomama_server.evaluate.summary import Evaluation, SummaryRow

TRAININGS = {"videomama:weights=a/result,window=1": ("spatial", "1"), "videomama:weights=b/result": ("both", "")}


def row(name, engine, mad, clips=2):
    return SummaryRow(name, "V-HIM60", "down8", engine, clips, {"mad": mad, "jf": 0.5}, {})


def evaluation():
    engines = ["mask", *TRAININGS, "classic"]
    overall = [row("V-HIM60", engine, 3.0 - place) for place, engine in enumerate(engines)]
    groups = [row(group, engine, 1.25, 1) for group in ("people", "animals") for engine in engines]
    return Evaluation("1", "now", ["mad"], {}, [], overall, groups, [], [], [], [], [], [])


def lines():
    return ablation_table.lines_of(evaluation(), TRAININGS)


def test_all_clips_come_first_then_each_group_and_only_what_was_trained():
    found = lines()
    assert [(line.group, line.training, line.window) for line in found[:4]] == [
        ("all", "mask", ""), ("all", "spatial", "1"), ("all", "both", ""), ("people", "mask", ""),
    ]  # fmt: skip
    assert len(found) == 9
    assert found[1].figures["mad"] == 2.0


def test_the_table_is_written_in_three_forms_with_the_same_figures(tmp_path):
    paths = ablation_table.write(tmp_path, lines())
    assert [path.name for path in paths] == ["ablations.md", "ablations.csv", "ablations.json"]
    page, table, content = (path.read_text() for path in paths)
    assert "## people" in page
    assert "| V-HIM60 | down8 | spatial | 1 | 2 | 2.00 |" in page
    assert table.splitlines()[0] == "group,data,masks,training,window,clips,mad,jf"
    assert "all,V-HIM60,down8,spatial,1,2,2.0,0.5" in table.splitlines()
    assert json.loads(content)[1]["figures"]["mad"] == 2.0
