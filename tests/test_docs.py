"""The pages lead somewhere: every link of every page goes to a file, and to a heading that it has."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("bench/*.md"), *ROOT.glob("docs/**/*.md")]
LINK = re.compile(r"\]\(([^)#\s]+)?(?:#([^)\s]+))?\)")


def anchors(page: Path) -> set[str]:
    """Return what the headings of a page are linked by."""
    text = page.read_text(encoding="utf-8")
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE))
    return {word.strip().replace(" ", "-") for word in words} | set(re.findall(r'id="([^"]+)"', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_goes_to_a_file_and_a_heading_that_are_there(page):
    for file, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        if file.startswith(("http://", "https://")):
            continue
        target = page.parent / file if file else page
        assert target.exists(), file
        assert not anchor or anchor in anchors(target), f"{file}#{anchor}"


def test_every_page_is_reached_from_the_readme():
    def linked(page: Path) -> set[Path]:
        files = (file for file, _ in LINK.findall(page.read_text(encoding="utf-8")) if file.endswith(".md"))
        return {(page.parent / file).resolve() for file in files if not file.startswith("http")}

    reached, edge = set(), {ROOT / "README.md"}
    while edge:
        reached |= edge
        edge = set().union(*map(linked, edge)) - reached
    assert {page for page in PAGES if page.parent.name != "bench"} <= reached
