"""How templates write numbers and times."""

import pytest
from videomama_server.web import wording


@pytest.mark.parametrize(
    ("count", "said"),
    [(None, "unknown"), (0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2.5e6, "2.5 MB"), (3e12, "3000.0 GB")],
)
def test_sizes(count, said):
    assert wording.size(count) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, "unknown"), (59.9, "59 s"), (61, "1 min 1 s"), (3725, "1 h 2 min")]
)
def test_durations(seconds, said):
    assert wording.duration(seconds) == said


def test_moments():
    assert wording.moment(None) == ""
    assert len(wording.moment(1_700_000_000.0)) == 19
