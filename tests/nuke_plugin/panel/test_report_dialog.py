"""The window of the doctor's report."""

import threading

import pytest


@pytest.fixture
def dialog(qt, tmp_path):
    from videomama_nuke.panel.report_dialog import ReportDialog

    made = ReportDialog(tmp_path / "connection.json")
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture
def held(monkeypatch):
    """Reports that are made once `held.set()` is called; `held.files` are those that were asked for."""
    from videomama_nuke.panel import report

    go = threading.Event()
    go.files = []

    def lines(file):
        go.files.append(file)
        go.wait(60)
        return [report.ReportLine(True, f"report {len(go.files)}")]

    monkeypatch.setattr(report, "lines", lines)
    yield go
    go.set()


def test_it_stands_beside_nuke_and_its_parts_are_in_it(dialog):
    assert not dialog.isModal()
    assert dialog.windowTitle() == "VideoMaMa: doctor's report"
    assert (dialog.width(), dialog.height()) == (620, 380)
    dialog.show()
    for part in (dialog.pane, dialog.copy, dialog.again, dialog.leave):
        assert part.isVisible(), part.accessibleName()
    assert dialog.pane.height() > dialog.height() / 2
    assert dialog.leave.x() > dialog.again.x() + dialog.again.width() + 50  # apart from the other two


def test_the_report_is_made_in_a_thread_once_at_a_time(qt, dialog, held, spin, tmp_path):
    dialog.show()
    spin(lambda: held.files, "it has begun")
    assert dialog._thread.daemon  # Nuke can end meanwhile
    assert dialog.pane.toPlainText() == "Looking\u2026"
    assert not dialog.copy.isEnabled()
    dialog.again.click()
    qt.app.processEvents()
    assert held.files == [tmp_path / "connection.json"]
    held.set()
    spin(dialog.copy.isEnabled, "it is there")
    assert dialog.pane.toPlainText().startswith("ok    report 1\n")
    assert not dialog._timer.isActive()


def test_it_is_made_again_when_asked_for(qt, dialog, held, spin):
    held.set()
    dialog.show()
    spin(dialog.copy.isEnabled, "it is there")
    dialog.again.click()
    spin(lambda: "report 2" in dialog.pane.toPlainText(), "it is there again")
    dialog.copy.click()
    assert qt.gui.QGuiApplication.clipboard().text() == dialog.pane.toPlainText()
    dialog.leave.click()
    assert not dialog.isVisible()


def test_a_report_that_was_taken_already_is_left_as_it_is(dialog):
    dialog.pane.setPlainText("as it was")
    dialog._take()
    assert dialog.pane.toPlainText() == "as it was"
