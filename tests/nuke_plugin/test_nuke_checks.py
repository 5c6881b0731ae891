"""The table of promises and tests names tests that are there, and has every promise."""

import re
from pathlib import Path

HERE = Path(__file__).parent
ROWS = [
    line.strip("|").split("|")
    for line in (HERE.parents[1] / "docs" / "nuke_checks.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| (\d+|all) \|", line)
]


def named(cell: str) -> list[tuple[Path, str]]:
    """Return files and names of the tests in a cell."""
    found = re.findall(r"(double )?`(\w+\.py)::(\w+)`", cell)
    return [(HERE / ("standin" if double else "plugin") / file, name) for double, file, name in found]


def test_every_promise_has_tests():
    assert [row[0].strip() for row in ROWS] == [*map(str, range(1, 21)), "all"]
    assert all(named(row[2]) for row in ROWS)


def test_every_named_test_is_there():
    every = [one for row in ROWS for one in named(row[2])]
    assert sum(row[2].count("::") for row in ROWS) == len(every)
    assert [(file.name, name) for file, name in every if f"def {name}(" not in file.read_text(encoding="utf-8")] == []
