"""The site of docs/, built as `python install docs` builds it."""

import re
import sys
from pathlib import Path

import docs_site
import pytest
from environment import Environment


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    assert docs_site.build(Environment(Path(sys.prefix)), folder) == 0
    return folder


def test_pages_that_lie_outside_of_docs_are_in_the_site(site):
    for page, words in (
        ("index", "See it work"),
        ("contributing", "House rules"),
        ("changelog", "Unreleased"),
        ("bench", "Benchmarks"),
    ):
        assert words in (site / f"{page}.html").read_text(encoding="utf-8")


def test_links_lead_to_pages_of_the_site_and_those_to_other_files_are_text(site):
    first = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="first_hour.html#artist"' in first
    assert 'href="reference/commands.html"' in first
    assert "see LICENSE." in first
    assert 'href="../own_engine.html"' in (site / "reference" / "settings.html").read_text(encoding="utf-8")


def test_docstrings_are_in_the_pages_of_the_api(site):
    text = (site / "api" / "client.html").read_text(encoding="utf-8")
    assert "Queue a job and return its id" in text
    assert "videomama_client.errors.BadInput" in text
    assert "_channel" not in text


def test_no_page_fetches_anything_from_the_network(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    fetched = re.compile(r"""<(?:script|img|iframe|source)[^>]*?src="(?:https?:)?//|<link[^>]*?href="(?:https?:)?//""")
    assert [page.name for page in pages if fetched.search(page.read_text(encoding="utf-8"))] == []
    styles = [style.read_text(encoding="utf-8") for style in site.rglob("*.css")]
    assert styles
    assert not any(re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", style) for style in styles)


def test_the_search_runs_in_a_page_that_is_opened_from_a_disk(site):
    assert 'src="assets/iframe-worker.js"' in (site / "index.html").read_text(encoding="utf-8")
    assert "IFrameWorker" in (site / "assets" / "iframe-worker.js").read_text(encoding="utf-8")
