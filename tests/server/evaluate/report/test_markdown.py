"""The report as Markdown."""

from dataclasses import replace

import pytest
from videomama_server.evaluate.report import markdown, tables


def test_markdown_has_the_same_figures(done):
    text = done.files[1].read_text(encoding="utf-8")
    for table in [*tables.overall(done.evaluation), *tables.per_clip(done.evaluation)]:
        assert f"## {table.title}" in text
        for line in table.lines:
            shown = [f"{c.text} ({c.ratio_text})" if c.ratio_text else c.text for c in line.cells]
            assert " | ".join([line.engine, *shown]) in text


def test_names_are_text_and_never_markup(done):
    text = done.files[1].read_text(encoding="utf-8")
    assert 'fur \\<&"ü\\> \\| \\*x\\*' in text
    assert "cannot read \\<i\\>" in text
    assert markdown._escaped("a\n b`c_d[e]\\") == "a b\\`c\\_d\\[e\\]\\\\"


def test_the_first_paragraph_says_what_was_measured(done):
    facts = markdown.facts(done.evaluation)
    assert facts.startswith("2 clips, 6 frames (")
    assert "engines: passthrough, classic:fast." in facts
    assert facts.endswith(f"{done.evaluation.made}.\n".replace("_", "\\_"))


def test_an_engine_is_named_with_what_was_made_of_it_where_that_says_more(done):
    text = markdown.facts(replace(done.evaluation, engines={"auto": "classic", "classic:fast": "classic"}))
    assert "engines: auto (classic), classic:fast." in text


def test_a_clip_that_failed_is_told_before_all_figures(done):
    text = markdown.body(done.evaluation)
    assert text.index("## Failed") < text.index("## All clips")
    assert "given masks, mask: cannot read" in text
    assert "## Failed" not in markdown.body(replace(done.evaluation, failures=[]))


def test_a_table_has_a_column_for_each_name_and_figure(done):
    for one in tables.overall(done.evaluation):
        lines = [line for line in markdown.table(one).splitlines() if line.startswith("|")]
        widths = {line.count("|") - line.count("\\|") for line in lines}
        assert len(widths) == 1
        assert lines[1].count("---:") == len(one.labels) + one.has_seconds
        assert ("masks" in lines[0]) == one.has_masks


@pytest.mark.parametrize(("note", "shown"), [("", "hair"), ("2 clips", "hair (2 clips)")])
def test_a_note_stands_behind_the_name_that_it_is_about(done, note, shown):
    one = tables.overall(done.evaluation)[0]
    line = replace(one.lines[0], name="hair", note=note)
    last = markdown.table(replace(one, blocks=[[line]])).splitlines()[-1]
    assert last.split(" | ")[0] == f"| {shown}"
