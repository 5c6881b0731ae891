"""The bench of the host's work beside a fake device, small: it says what it should, through a real server."""

import pytest


@pytest.mark.slow
def test_the_device_is_held_and_the_hosts_work_is_counted(load_bench, monkeypatch):
    monkeypatch.setenv("VIDEOMAMA_COMMAND", "")  # restored afterwards
    load_bench("private_server")
    load_bench("footage")
    overlap = load_bench("overlap")
    with overlap.environment() as site:
        found = overlap.measure((320, 180), 20, 2, site)
    assert set(found) == {"host_cpu_ms", "all_cpu_ms", "hold_ms_per_window", "efficiency", "efficiency_by_processor"}
    assert 0 < found["host_cpu_ms"] < found["all_cpu_ms"]
    assert 0 < found["efficiency"] <= 1
    assert 0 < found["efficiency_by_processor"] <= 1
