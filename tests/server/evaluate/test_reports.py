"""The reports of an evaluation, read again: their figures are the JSON's, and the page needs nothing else."""

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from markupsafe import escape
from videomama_client import launch
from videomama_client.errors import NotPermitted
from videomama_server.config import Config
from videomama_server.evaluate.asked import MeasureChoice, parse_engine, parse_masks
from videomama_server.evaluate.layouts import read_data
from videomama_server.evaluate.published import beside
from videomama_server.evaluate.report import markdown, page, pictures, plots, tables
from videomama_server.evaluate.report.wording import LABELS
from videomama_server.evaluate.report.write import write
from videomama_server.evaluate.run import EvaluationPlan, Failure, Runner
from videomama_server.evaluate.summary import UnitScores, read, summed_up

STRANGE = 'fur <&"ü> | *x*'
QUIET = SimpleNamespace(begin=lambda _: None, unit=lambda _: None, step=lambda _=1: None, say=lambda _: None)


class Page(HTMLParser):
    """Takes a page apart: lines of tables by key, each with its words and its (value, text) pairs."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.attributes, self.tags, self.text = {}, [], [], []
        self._lines, self._in_figure = [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "table":
            self._lines = self.tables.setdefault(dict(attrs)["data-key"], [])
        elif tag == "tr":
            self._lines.append(SimpleNamespace(words=[], figures=[]))
        elif tag == "data":
            self._lines[-1].figures.append((float(dict(attrs)["value"]), ""))
            self._in_figure = True

    def handle_endtag(self, tag):
        if tag == "data":
            self._in_figure = False

    def handle_data(self, data):
        if self._in_figure:
            self._lines[-1].figures[-1] = (self._lines[-1].figures[-1][0], data)
        elif data.strip():
            self.text.append(data.strip())
            if self._lines:
                self._lines[-1].words.append(data.strip())


@pytest.fixture(scope="module")
def done(server, makers, tmp_path_factory):
    """An evaluation of two clips by two engines with two kinds of masks, one name strange, and a clip that failed."""
    folder = tmp_path_factory.mktemp("reports")
    make = makers(folder)
    make.plain("hair_wall")
    clips = read_data(make.plain("fur_sky", kind="fur")).clips
    clips[0] = replace(clips[0], name=STRANGE)
    asked = [parse_engine(name, Config()) for name in ("passthrough", "classic:fast")]
    kinds = [parse_masks(name) for name in ("given", "down8")]
    plan = EvaluationPlan(clips, asked, kinds, MeasureChoice(shape=True), folder / "out")
    outcome = Runner(plan, lambda: launch.connect(server.connection_file, start=False), QUIET).run()
    assert outcome.failures == []
    outcome.failures.append(Failure("<b>gone</b>", "given", "mask", "cannot read <i>", "mend & go"))
    evaluation = summed_up(outcome)
    files = write(folder / "out", evaluation, outcome.units)
    page = Page(files[2].read_text(encoding="utf-8"))
    return SimpleNamespace(evaluation=evaluation, units=outcome.units, files=files, page=page)


def figures(row, measures, worst):
    """What a line must show: each figure and its ratio, then the speed."""
    own, ratio = (row["worst"], row["worst_ratio"]) if worst else (row["mean"], row["ratio"])
    found = [figure for name in measures for figure in (own.get(name), ratio.get(name)) if figure is not None]
    return found if worst or row["seconds_per_frame"] is None else [*found, row["seconds_per_frame"]]


@pytest.mark.parametrize(
    ("key", "part", "worst"),
    [
        ("all", "overall", False),
        ("all-worst", "overall", True),
        ("kinds", "groups", False),
        ("clips", "per_clip", False),
        ("clips-worst", "per_clip", True),
    ],
)
def test_all_figures_of_the_page_are_those_of_the_json(done, key, part, worst):
    content = json.loads(done.files[0].read_text(encoding="utf-8"))
    lines = [line for line in done.page.tables[key] if line.figures]
    assert len(lines) == len(content[part])
    for line, row in zip(lines, content[part], strict=True):
        assert [value for value, _ in line.figures] == figures(row, content["measures"], worst)
        assert row["engine"] in line.words
        for value, text in line.figures:
            assert float(text) == pytest.approx(value, abs=0.051)


def test_figures_are_rounded_as_they_are_labelled(done):
    (row,) = [r for r in done.evaluation.overall if r.engine == "classic:fast" and r.masks == "given"]
    line = next(line for line in done.page.tables["all"] if "classic:fast" in line.words)
    assert line.figures[0][1] == f"{row.mean['mad']:.2f}"
    assert line.figures[1][1] == f"{row.ratio['mad']:.2f}"


def test_the_page_needs_nothing_else(done):
    for name, value in done.page.attributes:
        if name in ("src", "href", "srcset", "action", "poster", "data"):
            assert value.startswith(("data:image/webp;base64,", "#")), value[:80]
        assert not name.startswith("on")
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & set(done.page.tags)
    text = done.files[2].read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|https?://", text)
    anchors = {value for name, value in done.page.attributes if name == "id"}
    assert {value[1:] for name, value in done.page.attributes if name == "href"} <= anchors


def test_names_are_text_and_never_markup(done):
    assert STRANGE in done.page.text
    assert any("cannot read <i>" in text for text in done.page.text)
    assert "mend & go" in done.page.text
    assert "b" not in done.page.tags
    text = done.files[1].read_text(encoding="utf-8")
    assert 'fur \\<&"ü\\> \\| \\*x\\*' in text
    assert "cannot read \\<i\\>" in text


def test_every_clip_has_plots_and_pictures_that_open(done):
    clips = 2 * 2  # times kinds of masks
    assert done.page.tags.count("svg") == 3 * clips + 3  # and the keys of masks and engines
    sources = [value for name, value in done.page.attributes if name == "src"]
    assert len(sources) == clips * 2 * (3 + 2 * 2)
    for source in sources:
        code = np.frombuffer(base64.b64decode(source.partition(",")[2]), np.uint8)
        picture = cv2.imdecode(code, cv2.IMREAD_COLOR)
        assert picture.shape[1] >= 90
    assert sum(map(len, sources)) < 15_000_000 * clips / 20


def test_markdown_has_the_same_figures(done):
    text = done.files[1].read_text(encoding="utf-8")
    for table in [*tables.overall(done.evaluation), *tables.per_clip(done.evaluation)]:
        assert f"## {table.title}" in text
        for line in table.lines:
            shown = [f"{c.text} ({c.ratio_text})" if c.ratio_text else c.text for c in line.cells]
            assert " | ".join([line.engine, *shown]) in text


def test_the_json_reads_back(done):
    assert read(done.files[0]).per_clip == done.evaluation.per_clip
    content = json.loads(done.files[0].read_text(encoding="utf-8"))
    frames = content["frames"][0]
    assert len(frames["scores"]["mad"]) == len(frames["frames"]) == 3


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
    assert [line.engine for line in table.lines] == ["others", "others", "us"]


def test_only_what_is_worse_as_shown_is_marked():
    label = LABELS["mad"]
    assert not tables.Cell(1.0, 1.004, label).is_worse
    assert tables.Cell(1.0, 1.006, label).is_worse
    assert not tables.Cell(1.0, None, label).is_worse
    assert not tables.Cell(1.0, 1.2, LABELS["flicker"]).is_worse  # it is no error: the truth has some


@pytest.mark.parametrize("name", ["a/b_c", "plain", "_x_", "a//b", STRANGE])
def test_long_names_break_and_lose_nothing(name):
    shown = page._breakable(name)
    assert shown.replace("<wbr>", "") == str(escape(name))
    assert shown.count("<wbr>") <= name.count("/") + name.count("_")


def test_plots_hold_their_curves_and_leave_gaps():
    scores = {"mad": [0.0, 7.5, None, 3.0], "dtssd": [None, 1.0, 1.0, 1.0]}
    mad, dtssd = plots.plots([UnitScores("a", "given", "mask", [5, 6, 7, 8], scores)])
    (curve,) = mad.curves
    points = [[tuple(map(float, point.split(","))) for point in run.split()] for run in curve.runs]
    assert [len(run) for run in points] == [2, 2]  # the second is a dot
    assert points[1][0] == points[1][1]
    assert points[0][0] == (plots.LEFT, plots.HEIGHT - plots.BOTTOM)
    assert mad.up[-1].text == "8"
    assert plots.TOP <= points[0][1][1] <= plots.HEIGHT - plots.BOTTOM
    assert [tick.text for tick in mad.along] == ["5", "7", "8"]
    assert len(dtssd.curves[0].runs) == 1


@pytest.mark.parametrize("figures", [[0.0], [0.0, 0.0], [None, None], [1e-4, 3e5]])
def test_plots_of_odd_figures(figures):
    (plot,) = plots.plots([UnitScores("a", "given", "mask", list(range(len(figures))), {"mad": figures})])
    assert len({tick.at for tick in plot.up}) == len(plot.up) > 1


def test_the_difference_tells_too_much_from_too_little():
    truth = np.array([[0.5, 0.5, 0.5, 0.0]], np.float32)
    found = pictures.difference(np.array([[0.5, 0.75, 0.25, 1.0]], np.float32), truth)
    assert found[0, 0].tolist() == [0, 0, 0]
    assert found[0, 1, 0] > found[0, 1, 2]
    assert found[0, 2, 2] > found[0, 2, 0]
    assert found[0, 3, 0] == 1.0


def test_the_picture_is_of_the_worst_frame_and_spot(done, draw, tmp_path):
    mask, engine = done.units[0], done.units[1]
    files = {}
    for index, number in enumerate(mask.clip.numbers):
        alpha = draw.disc(index)
        if index == 1:
            alpha[50:60, 80:94] = 1
        files[number] = draw.put(tmp_path / f"alpha.{number}.exr", alpha)
    scores = {**engine.result.scores, "mad": [0.0, 9.0, 0.0]}
    wrong = replace(engine, alphas=files, result=replace(engine.result, scores=scores))
    strip = pictures.strip([mask, wrong], 1)
    assert strip.frame == mask.clip.numbers[1]
    assert [tile.title for tile in strip.tiles] == ["plate", "mask", "truth", "alpha", "difference"]


@pytest.mark.parametrize("shape", [(4000, 12), (2000, 1000), (12, 4000), (5, 5), (1080, 1920)], ids=str)
def test_pictures_of_any_shape_stay_small(shape):
    wrong = np.zeros(shape, np.float32)
    wrong[shape[0] // 2, shape[1] // 2] = 1
    spot = pictures._spot(wrong)
    left, top, width, height = spot
    assert left <= shape[1] // 2 < left + width <= shape[1]
    assert top <= shape[0] // 2 < top + height <= shape[0]
    tile = pictures._Maker(spot, 440).tile("difference", pictures.difference(wrong, 0 * wrong), marked=True)
    for uri in (tile.whole, tile.spot):
        data = np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert max(picture.shape[0] / 2, picture.shape[1]) <= 440 * 1.15


def test_a_folder_that_cannot_be_written_is_told(done, tmp_path):
    with pytest.raises(NotPermitted):
        write(tmp_path / "none", done.evaluation, done.units)
