"""The soak's clients, a few of them and for a moment, at a real server."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def soak_crowd(load_bench, monkeypatch):
    monkeypatch.syspath_prepend(BENCH)  # for the modules beside it
    found = load_bench("soak_crowd")
    for name, few in (("CLIENTS", 3), ("JOBS", 8), ("GREEDY", 4), ("AT_ONCE", 2)):
        monkeypatch.setattr(found, name, few)
    return found


def test_clients_that_compete_have_all_their_jobs_done(soak_crowd, start_server, tmp_path):
    running = start_server()
    bridge = SimpleNamespace(connection_file=running.connection_file)
    told = soak_crowd.compete(bridge, tmp_path / "contest", np.random.default_rng(1))
    assert (told["clients"], told["jobs"]) == (3, 8)
    assert 0 < told["fairness_jain_among_others"] <= 1


def test_clients_come_and_go_without_an_error(soak_crowd, start_server, tmp_path):
    counts = soak_crowd.crowd(start_server().connection_file, tmp_path / "crowd", 0.5, 1)
    assert counts["clients"] >= 1
    assert set(counts) <= {"clients", "done", "cancelled", "left in the middle"}
    assert counts["clients"] == counts.total() / 2
