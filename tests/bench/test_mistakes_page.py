"""The page of mistakes says what the commands say now."""

import sys

import pytest

ELSEWHERE = "the system's own words differ"


@pytest.fixture
def page(load_bench, monkeypatch):
    mistakes = load_bench("mistakes")
    monkeypatch.setitem(sys.modules, "mistakes", mistakes)
    return load_bench("mistakes_page")


def test_there_are_forty_mistakes_and_none_twice(page):
    every = [mistake for rows in page.mistakes.CHAPTERS.values() for mistake in rows]
    assert len(every) >= 40
    assert len({mistake.what for mistake in every}) == len(every)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason=ELSEWHERE)
def test_the_page_says_what_is_said(page):
    written, now = page.PAGE.read_text(encoding="utf-8").splitlines(), page.page().splitlines()
    assert now == written, "run python bench/mistakes_page.py and read what changed"


def test_a_row_is_one_line_without_paths_of_this_machine(page, tmp_path):
    mistake = page.mistakes.Mistake("a typo | in the command", ("matte", "--clip", "SHOT/x"))
    answer = page.said(mistake, tmp_path)
    assert str(tmp_path) not in answer
    assert "\n" not in page._row(mistake, answer).rstrip("\n")


def test_a_long_list_in_a_hint_is_cut(page):
    assert page._shortened(", ".join(["name"] * 500)).endswith("name, ...")
