"""The page, read again: its figures are those of the JSON, and it needs nothing else."""

import base64
import json
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from markupsafe import escape
from videomama_server.evaluate.report import page


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
def shown(done):
    """The page, taken apart."""
    return Page(done.files[2].read_text(encoding="utf-8"))


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
def test_all_figures_of_the_page_are_those_of_the_json(done, shown, key, part, worst):
    content = json.loads(done.files[0].read_text(encoding="utf-8"))
    lines = [line for line in shown.tables[key] if line.figures]
    assert len(lines) == len(content[part])
    for line, row in zip(lines, content[part], strict=True):
        assert [value for value, _ in line.figures] == figures(row, content["measures"], worst)
        assert row["engine"] in line.words
        for value, text in line.figures:
            assert float(text) == pytest.approx(value, abs=0.051)


def test_figures_are_rounded_as_they_are_labelled(done, shown):
    (row,) = [r for r in done.evaluation.overall if r.engine == "classic:fast" and r.masks == "given"]
    line = next(line for line in shown.tables["all"] if "classic:fast" in line.words)
    assert line.figures[0][1] == f"{row.mean['mad']:.2f}"
    assert line.figures[1][1] == f"{row.ratio['mad']:.2f}"


def test_the_page_needs_nothing_else(done, shown):
    for name, value in shown.attributes:
        if name in ("src", "href", "srcset", "action", "poster", "data"):
            assert value.startswith(("data:image/webp;base64,", "#")), value[:80]
        assert not name.startswith("on")
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & set(shown.tags)
    text = done.files[2].read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|https?://", text)
    anchors = {value for name, value in shown.attributes if name == "id"}
    assert {value[1:] for name, value in shown.attributes if name == "href"} <= anchors


def test_names_are_text_and_never_markup(done, shown, strange):
    assert strange in shown.text
    assert any("cannot read <i>" in text for text in shown.text)
    assert "mend & go" in shown.text
    assert "b" not in shown.tags


def test_every_clip_has_plots_and_pictures_that_open(done, draw, shown):
    clips = 2 * 2  # times kinds of masks
    assert shown.tags.count("svg") == 3 * clips + 3  # and the keys of masks and engines
    sources = [value for name, value in shown.attributes if name == "src"]
    wipes = 2 * 2 * draw.count  # two sides over two greys, of the worst frames, which are all that there are
    assert len(sources) == clips * (2 * (3 + 2 * 2) + wipes)
    for source in sources:
        code = np.frombuffer(base64.b64decode(source.partition(",")[2]), np.uint8)
        picture = cv2.imdecode(code, cv2.IMREAD_COLOR)
        assert picture.shape[1] >= 90
    assert sum(map(len, sources)) < 15_000_000 * clips / 20


@pytest.mark.parametrize("name", ["a/b_c", "plain", "_x_", "a//b", "<b>&"])
def test_long_names_break_and_lose_nothing(name):
    broken = page._breakable(name)
    assert broken.replace("<wbr>", "") == str(escape(name))
    assert broken.count("<wbr>") <= name.count("/") + name.count("_")


def test_each_engine_has_a_look_of_its_own_and_a_sixth_begins_again():
    assert [page._look(index) for index in range(8)] == [0, 1, 2, 3, 4, 5, 1, 2]


def test_pictures_are_of_clips_without_a_truth_and_of_those_furthest_from_theirs(monkeypatch):
    def group(truth, *mads):
        clip = SimpleNamespace(truth=truth)
        return [SimpleNamespace(clip=clip, result=SimpleNamespace(scores={"mad": list(mad)})) for mad in mads]

    monkeypatch.setattr(page.pictures, "MOST", 2)
    groups = [group("t", [1.0, 2.0]), group(None, []), group("t", [0.0, None], [4.0, 1.0]), group("t", [2.0, 2.5])]
    assert page._pictured(groups) == {1, 2}
    assert page._pictured(groups[:1]) == {0}


def test_up_to_many_clips_have_wipes_of_their_worst_frames(monkeypatch):
    scores = {"mad": [1.0, 2.0, 3.0]}
    unit = SimpleNamespace(result=SimpleNamespace(frames=[1, 2, 3], scores=scores))
    monkeypatch.setattr(page.pictures, "strip", lambda group, number, clips: (number, clips))
    monkeypatch.setattr(page, "wipes", lambda group, number: [number])
    for clips, wipes in ((page.MANY, True), (page.MANY + 1, False)):
        strip, seen = page._pictures([unit, unit], clips)
        assert (strip, bool(seen)) == ((3, clips), wipes)
