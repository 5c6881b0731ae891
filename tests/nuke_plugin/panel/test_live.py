"""The panel with a real server and real jobs."""

import os
import signal

import pytest
from videomama_client import messages
from videomama_client.errors import Cancelled
from videomama_nuke.panel import report

pytestmark = pytest.mark.slow


def job_in(panel, label: str):
    model = panel.jobs.jobs
    rows = [row for row in range(model.rowCount()) if model.job(row).label == label]
    return (rows[0], model.job(rows[0])) if rows else (-1, None)


def state_of(panel, label: str) -> str:
    job = job_in(panel, label)[1]
    return job.state if job else ""


def test_a_real_job_is_listed_moves_and_is_cancelled(qt, live, long_clip, open_panel, spin):
    panel = open_panel(live.file)
    with live.client() as client:
        long = client.submit(live.order(long_clip, "the long one"))
        client.submit(live.order(long_clip, "the next one", frame_ranges="1001-1010", priority="batch"))
        spin(lambda: state_of(panel, "the long one") == messages.RUNNING, "it is listed")
        spin(lambda: job_in(panel, "the long one")[1].done > 0, "it moves")
        first = job_in(panel, "the long one")[1].done
        spin(lambda: job_in(panel, "the long one")[1].done > first, "it moves on")
        assert state_of(panel, "the next one") in (messages.WAITING, messages.RUNNING)
        panel.jobs.selectRow(job_in(panel, "the long one")[0])
        spin(panel.cancel.isEnabled, "it can be cancelled")
        panel.cancel.click()
        spin(lambda: state_of(panel, "the long one") == messages.CANCELLED, "it is cancelled")
        with pytest.raises(Cancelled):
            list(client.events(long))
        spin(lambda: state_of(panel, "the next one") == messages.DONE, "the other one is done")
    spin(lambda: "entr" in panel.cache.fill.text() and not panel.cache.fill.text().startswith("0 "), "the cache fills")
    spin(panel.cache.clear.isEnabled, "the cache can be cleared")
    panel.cache.clear.click()
    panel.cache.remove.click()
    spin(lambda: panel.cache.fill.text().startswith("0 entries"), "the cache is empty")
    assert panel.message.text().startswith("Removed ")


def test_a_killed_server_is_missed_and_found_again(live, open_panel, spin, long_clip):
    panel = open_panel(live.file)
    spin(lambda: panel.stop.isEnabled(), "the server answers")
    os.kill(live.process.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    live.process.wait(60)
    spin(lambda: panel.state.text().startswith("Not reachable"), "it is missed")
    live.start()
    spin(lambda: panel.state.text().startswith("Running"), "it is found again")
    spin(lambda: f"pid {live.process.pid} " in panel.detail.text(), "it is the new one")
    with live.client() as client:
        client.submit(live.order(long_clip, "after the fall", frame_ranges="1001-1004"))
        spin(lambda: state_of(panel, "after the fall") == messages.DONE, "it works")


def test_the_panel_starts_and_stops_a_server(open_panel, spin, tmp_path, monkeypatch):
    pytest.importorskip("videomama_server", reason="no server is installed on this Python")
    for name in [name for name in os.environ if name.startswith("VIDEOMAMA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VIDEOMAMA_CONFIG", os.devnull)
    monkeypatch.setenv("VIDEOMAMA_CACHE_DIR", str(tmp_path / "cache"))
    panel = open_panel(tmp_path / "connection.json")
    spin(panel.start.isEnabled, "nobody is there")
    panel.start.click()
    spin(panel.stop.isEnabled, "a server runs", 40.0)
    assert panel.copy.isEnabled()
    assert "listens at" in panel.log.toPlainText()
    found = report.lines(tmp_path / "connection.json")
    panel.stop.click()
    spin(lambda: panel.state.text().startswith("Not reachable"), "it has ended")
    assert [line.what for line in found if not line.ok] == []
