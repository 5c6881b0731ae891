import argparse
import sys
from pathlib import Path

import movies
import pytest
from environment import Environment
from job import Job
from source import INDEX

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    options = argparse.Namespace(python=sys.executable, movies=False)
    return Job(ROOT, Environment(tmp_path / "env"), options, [], INDEX, INDEX)


def test_the_verb_says_the_licence_and_asks_for_the_extra(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []
    monkeypatch.setattr(movies, "prepare", asked.append)
    assert movies.run(job) == 0
    assert [request.extras for request in asked] == [("movies",)]
    assert "GNU General Public License" in capsys.readouterr().out


def test_the_plan_names_movies_whether_or_not_they_are_wanted(job: Job) -> None:
    assert "not planned; `python install movies`" in movies.plan_line(job)
    job.options.movies = True
    assert "will be installed" in movies.plan_line(job)
    assert "GPL" in movies.plan_line(job)
