"""Which lines stand in which table, beside what others have published, and which figures are marked."""

from dataclasses import replace

from videomama_server.evaluate.published import beside
from videomama_server.evaluate.report import markdown, tables
from videomama_server.evaluate.report.wording import LABELS


def test_ours_stand_below_what_was_published(done):
    theirs = list(beside("YouTubeMatte", "", (1920, 1080), "down8"))
    own = replace(done.evaluation.overall[0], data="YouTubeMatte 1920x1080", masks="down8")
    evaluation = replace(done.evaluation, published=theirs, overall=[own], spreadsheet=[])
    (table,) = tables.beside(evaluation)
    assert [(line.name, line.engine) for line in table.lines] == [
        ("mask", "others"), ("VideoMaMa", "others"), ("mask", "us"),
    ]  # fmt: skip
    assert "What differs" in table.note
    assert [label.name for label in table.labels] == ["MAD", "GRAD"]
    assert "## Beside published figures" in markdown.body(evaluation)


def test_a_part_of_a_data_set_stands_beside_the_published_part(done):
    theirs = list(beside("V-HIM60", "comp_hard", None, "down8"))
    rows = [replace(done.evaluation.groups[0], name=name, data="V-HIM60", masks="down8") for name in ("comp_hard", "b")]
    (table,) = tables.beside(replace(done.evaluation, published=theirs, groups=rows))
    assert [line.engine for line in table.lines] == ["others", "others", "others", "us"]


def test_only_what_is_worse_as_shown_is_marked():
    label = LABELS["mad"]
    assert not tables.Cell(1.0, 1.004, label).is_worse
    assert tables.Cell(1.0, 1.006, label).is_worse
    assert not tables.Cell(1.0, None, label).is_worse
    assert not tables.Cell(1.0, 1.2, LABELS["flicker"]).is_worse  # it is no error: the truth has some


def test_lines_of_one_name_and_one_kind_of_masks_are_a_block(done):
    table = tables.per_clip(done.evaluation)[0]
    assert [[line.engine for line in block] for block in table.blocks] == [["mask", "passthrough", "classic:fast"]] * 4
    assert [line.is_base for line in table.blocks[0]] == [True, False, False]
    assert table.has_masks
    assert table.has_seconds
    assert not tables.per_clip(done.evaluation)[1].has_seconds


def test_a_line_over_clips_says_over_how_many(done):
    (block, *_) = tables.overall(done.evaluation)[0].blocks
    assert {line.note for line in block} == {"2 clips"}
    assert {line.note for line in tables.per_clip(done.evaluation)[0].lines} == {""}


def test_there_is_a_worst_only_where_there_are_several_clips(done):
    keys = [table.key for table in tables.overall(done.evaluation)]
    assert keys[:3] == ["all", "all-worst", "kinds"]
    alone = replace(done.evaluation, overall=[replace(row, clips=1) for row in done.evaluation.overall], spreadsheet=[])
    assert [table.key for table in tables.overall(alone)] == ["all", "kinds"]


def test_ratios_are_known_by_column(done):
    table = tables.overall(done.evaluation)[0]
    named = dict(zip([label.name for label in table.labels], table.has_ratio, strict=True))
    assert named["MAD"]
    bare = replace(
        table,
        blocks=[[replace(line, cells=[replace(cell, ratio=None) for cell in line.cells])] for line in table.lines],
    )
    assert bare.has_ratio == [False] * len(table.labels)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(tables.Table) == {"has_masks": False, "has_seconds": False}


def test_the_worst_frames_stand_with_what_every_engine_made_of_them(done):
    table = tables.per_clip(done.evaluation)[2]
    assert table.key == "frames-worst"
    unit = next(unit for unit in done.evaluation.frames if unit.engine == "passthrough")
    lines = [line for line in table.lines if (line.name, line.masks) == (unit.clip, unit.masks)]
    assert [line.engine for line in lines] == ["mask", "passthrough", "classic:fast"] * len(unit.frames)
    for line in lines[1::3]:
        place = unit.frames.index(int(line.note.split()[1]))
        assert line.cells[0].value == unit.scores["mad"][place]


def test_an_excerpt_without_frames_has_no_table_of_them(done):
    assert [table.key for table in tables.per_clip(done.evaluation.excerpt())] == ["clips", "clips-worst"]


def test_the_worst_frames_are_the_engines_and_not_the_masks(done, monkeypatch):
    asked = []

    def worst(frames, judged, count):
        asked.append((len(judged), judged[0]))
        return frames[:1]

    monkeypatch.setattr(tables, "worst_frames", worst)
    units = done.evaluation.frames
    assert tables.per_clip(done.evaluation)[2].key == "frames-worst"
    engines = [unit.scores for unit in units if unit.engine != "mask"]
    assert asked[0] == (2, engines[0])
    asked.clear()
    alone = [unit for unit in units if unit.engine == "mask"]
    tables.per_clip(replace(done.evaluation, frames=alone))
    assert asked[0] == (1, alone[0].scores)


def test_a_figure_and_its_ratio_are_shown_where_there_are_some():
    shown = [
        (cell.text, cell.ratio_text)
        for cell in (tables.Cell(2.0, 0.5, LABELS["mad"]), tables.Cell(None, None, LABELS["mad"]))
    ]
    assert shown == [("2.00", "0.50"), ("-", "")]


def test_kinds_of_masks_have_a_column_where_there_are_several(done):
    rows = [row for row in done.evaluation.per_clip if row.masks == "given"]
    frames = [unit for unit in done.evaluation.frames if unit.masks == "given"]
    one_kind = replace(done.evaluation, per_clip=rows, frames=frames)
    for evaluation, has_masks in ((done.evaluation, True), (one_kind, False)):
        assert {table.has_masks for table in tables.per_clip(evaluation)} == {has_masks}
