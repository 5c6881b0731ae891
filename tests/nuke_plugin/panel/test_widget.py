"""The panel on an offscreen display, against a server over a real socket."""

import time
from dataclasses import replace

import pytest
from videomama_client import messages
from videomama_nuke.panel import snapshot
from videomama_nuke.panel.snapshot import RUNNING, UNREACHABLE

LONGEST_GAP_S = 4.0  # the server would be waited for ten seconds
ATTEMPTS = 3  # of measuring time: other programs share the machine


@pytest.fixture
def full(scripted, make_job, open_panel, spin):
    """A panel that shows three jobs."""
    scripted.jobs = [
        make_job("a", state="waiting", frame_count=None, done=0),
        make_job("b"),
        make_job("c", state="done"),
    ]
    panel = open_panel(scripted.file)
    spin(lambda: panel.jobs.jobs.rowCount() == 3 and panel.cache.clear.isEnabled(), "the panel is full")
    return panel


def is_in(panel, state):
    return lambda: panel.watcher.snapshot().state == state


def shown(panel, row: int, column: int = 0) -> str:
    return panel.jobs.jobs.data(panel.jobs.jobs.index(row, column))


def test_it_constructs_without_arguments_and_without_threads(qt, panel_threads):
    panel = qt.panel.Panel()
    assert not panel_threads()
    panel.deleteLater()


def test_jobs_of_all_clients_are_listed(full, make_job):
    assert shown(full, 1) == "shot010.nk VideoMaMa1"
    assert shown(full, 1, 1) == "10 of 40 \u00b7 2 cached"
    assert shown(full, 1, 2) == "0:12"
    assert full.jobs_count.text() == "1 running, 1 waiting"
    assert full.state.text().startswith("Running since ")
    assert full.engine.text() == "videomama on cuda:0, bf16"
    assert full.memory.text() == snapshot.memory_line(full.watcher.snapshot().status)
    assert full.cache.fill.text() == "12 entries \u00b7 34.0 MB of 100 GB"


def test_progress_moves_and_the_choice_stays(scripted, full, spin, make_job):
    full.jobs.selectRow(1)
    scripted.jobs = [make_job("new"), *scripted.jobs[:1], make_job("b", done=30, computed=28)]
    spin(lambda: shown(full, 2, 1) == "30 of 40 \u00b7 2 cached", "the progress is shown")
    assert [job.job for job in full.jobs.chosen()] == ["b"]
    assert shown(full, 0) == "shot010.nk VideoMaMa1"


def test_the_button_cancels_the_chosen_jobs_that_still_run(qt, scripted, full, spin):
    assert not full.cancel.isEnabled()
    full.jobs.selectAll()
    spin(full.cancel.isEnabled, "the button can be pressed")
    qt.test.mouseClick(full.cancel, qt.core.Qt.MouseButton.LeftButton)
    spin(lambda: scripted.count(messages.CancelJob) == 2, "the server is asked")
    assert {ask.job for _, ask in scripted.heard if isinstance(ask, messages.CancelJob)} == {"a", "b"}
    spin(lambda: full.message.text() == "Asked to stop 2 jobs.", "it is said")
    spin(lambda: not full.cancel.isEnabled(), "there is nothing left to cancel")


def test_the_delete_key_cancels(qt, scripted, full, spin):
    full.jobs.selectRow(1)
    qt.test.keyClick(full.jobs, qt.core.Qt.Key.Key_Delete)
    spin(lambda: scripted.count(messages.CancelJob) == 1, "the server is asked")
    assert scripted.last(messages.CancelJob).job == "b"


def test_a_job_that_ended_cannot_be_cancelled(qt, scripted, full, spin):
    full.jobs.selectRow(2)
    qt.test.keyClick(full.jobs, qt.core.Qt.Key.Key_Delete)
    spin(lambda: full.choice.text(), "the choice is shown")
    assert not full.cancel.isEnabled()
    assert not full.watcher.snapshot().busy


def test_why_a_job_failed_can_be_read_without_a_mouse(scripted, full, spin, make_job):
    scripted.jobs = [make_job("f", state="failed", message="plate frame 1003 is missing")]
    spin(lambda: full.jobs.jobs.rowCount() == 1, "the job is shown")
    full.jobs.selectRow(0)
    spin(lambda: full.choice.text() == "plate frame 1003 is missing", "the reason is shown")


def test_clearing_asks_first_and_can_be_taken_back(qt, scripted, full, spin):
    full.cache.clear.click()
    assert full.cache.asking.isVisible()
    assert "12 entries, 34.0 MB" in full.cache.question.text()
    qt.test.keyClick(full.cache.keep, qt.core.Qt.Key.Key_Escape)
    assert not full.cache.asking.isVisible()
    full.cache.clear.click()
    full.cache.keep.click()
    assert not full.cache.asking.isVisible()
    assert scripted.count(messages.ClearCache) == 0
    full.cache.clear.click()
    full.cache.remove.click()
    spin(lambda: scripted.count(messages.ClearCache) == 1, "the server is asked")
    spin(lambda: full.cache.fill.text() == "0 entries \u00b7 0 B of 100 GB", "it is empty")
    assert full.message.text() == "Removed 12 entries, 34.0 MB."


def test_the_other_buttons_reach_the_server(scripted, full, spin):
    full.cache.prune.click()
    spin(lambda: scripted.count(messages.PruneCache) == 1, "it prunes")
    spin(lambda: not full.watcher.snapshot().busy, "it is done")
    full.unload.click()
    spin(lambda: scripted.count(messages.UnloadEngine) == 1, "it unloads")
    spin(lambda: full.stop.isEnabled(), "it is done")
    full.stop.click()
    spin(lambda: scripted.count(messages.StopServer) == 1, "it stops")


def test_an_error_is_shown_with_its_hint(scripted, full, spin):
    scripted.refusals["UnloadEngine"] = ("bad-input", "2 jobs need the engine", "Cancel them first.")
    full.unload.click()
    spin(lambda: full.message.text() == "2 jobs need the engine. Cancel them first.", "the error is shown")
    assert full.message.property("role") == "bad"


def test_a_server_that_vanishes_and_comes_back(scripted, full, spin):
    full.cache.clear.click()
    scripted.end()
    spin(lambda: full.state.text().startswith("Not reachable since "), "it is missed")
    assert full.jobs.jobs.rowCount() == 0
    assert full.start.isVisible()
    assert full.start.isEnabled()
    assert not full.stop.isVisible()
    assert not full.cache.clear.isEnabled()
    assert not full.cache.asking.isVisible()
    assert full.detail.text()
    scripted.start()
    spin(lambda: full.jobs.jobs.rowCount() == 3, "it is found again")
    assert full.stop.isVisible()
    assert not full.start.isVisible()


def test_a_hidden_panel_asks_nothing(scripted, full, spin, qt):
    full.hide()
    assert not full.timer.isActive()
    spin(lambda: not any(talker._client for talker in full.watcher._talkers), "the connections are closed")
    settled = time.monotonic()
    until = settled + 1.5
    spin(lambda: time.monotonic() > until, "time has passed")
    assert scripted.count(since=settled) == 0
    full.show()
    spin(lambda: scripted.count(messages.ReportStatus, since=until), "it asks again")


def test_it_looks_at_most_four_times_a_second(full):
    assert full.timer.interval() == 250


def test_nuke_is_never_held_up_while_the_server_hangs(qt, scripted, full, spin, monkeypatch):
    scripted.hang()
    full.cache.prune.click()
    full.unload.click()
    longest = min(longest_gap(qt, 2.0) for _ in range(ATTEMPTS))
    assert longest < LONGEST_GAP_S
    spin(lambda: full.state.text().startswith("No answer for "), "the silence is shown")
    waits, close = [], full.watcher.close
    monkeypatch.setattr(full.watcher, "close", lambda wait: waits.append(wait) or close(wait))
    full.close()
    assert waits == [0.0]


def longest_gap(qt, seconds: float) -> float:
    """Return the longest time that the event loop was held up."""
    longest, until = 0.0, time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        qt.app.processEvents()
        longest = max(longest, time.monotonic() - began)
        time.sleep(0.002)
    return longest


def test_closing_ends_the_threads_and_showing_begins_anew(full, spin, panel_threads):
    assert len(panel_threads()) == 2
    full.close()
    full.close()
    spin(lambda: not panel_threads(), "the threads have ended")
    full.show()
    spin(lambda: full.watcher.snapshot().state == RUNNING and full.jobs.jobs.rowCount() == 3, "it works again")


def test_a_destroyed_panel_leaves_no_thread(qt, scripted, spin, panel_threads):
    holder = qt.widgets.QWidget()
    panel = qt.panel.Panel(connection_file=scripted.file, parent=holder)
    holder.show()
    spin(is_in(panel, RUNNING), "the server answers")
    holder.deleteLater()
    del panel
    qt.app.sendPostedEvents(None, int(qt.core.QEvent.Type.DeferredDelete))
    spin(lambda: not panel_threads(), "the threads have ended")


def test_every_control_is_reached_by_the_tab_key_in_reading_order(qt, full):
    full.jobs.selectRow(1)
    full.cache.clear.click()
    qt.app.processEvents()
    cache = full.cache
    wanted = [
        full.stop,
        full.unload,
        full.jobs,
        full.cancel,
        cache.prune,
        cache.remove,
        cache.keep,
        full.copy,
        full.log,
    ]
    wanted = [*wanted, full.doctor]
    full.copy.setEnabled(True)
    full.stop.setFocus()
    reached = [full.focusWidget()]
    while len(reached) < len(wanted):
        qt.test.keyClick(full.focusWidget(), qt.core.Qt.Key.Key_Tab)
        reached.append(full.focusWidget())
    assert [one.accessibleName() for one in reached] == [one.accessibleName() for one in wanted]


def test_every_control_has_a_name_a_tooltip_and_its_own_mnemonic(qt, full):
    buttons = full.findChildren(qt.widgets.QPushButton)
    assert len(buttons) >= 10
    letters = [button.text()[button.text().index("&") + 1].lower() for button in buttons]
    assert len(set(letters)) == len(letters)
    for control in (*buttons, full.jobs, full.log):
        assert control.accessibleName()
        assert control.toolTip()
        assert control.focusPolicy() & qt.core.Qt.FocusPolicy.TabFocus


def test_a_job_is_told_to_screen_readers_in_full(qt, full):
    said = full.jobs.jobs.data(full.jobs.jobs.index(1, 0), int(qt.core.Qt.ItemDataRole.AccessibleTextRole))
    assert "running, interactive" in said
    assert "/shots/sh010/plate.####.exr" in said


@pytest.mark.parametrize("width", [420, 900])
def test_no_words_are_cut(qt, full, width, scripted, spin):
    scripted.refusals["PruneCache"] = ("internal", "something long happened " * 4, "Look at the log, then try again.")
    full.cache.prune.click()
    full.cache.clear.click()
    spin(lambda: full.message.property("role") == "bad", "there is an error")
    full.resize(width, 900)
    qt.app.processEvents()
    for button in full.findChildren(qt.widgets.QPushButton):
        assert not button.isVisible() or button.width() >= button.sizeHint().width(), button.text()
    for label in full.findChildren(qt.widgets.QLabel):
        if label.isVisible() and label.text():
            assert label.width() >= min_width(qt, label), label.text()
            assert label.height() >= label.heightForWidth(label.width()), label.text()
    assert full.area.widget().width() <= full.area.viewport().width()


def min_width(qt, label) -> int:
    """Return the width of the longest word that the label has to show."""
    words = label.text().replace("\u200b", " ").split()
    return max(qt.gui.QFontMetrics(label.font()).horizontalAdvance(word) for word in words)


def test_the_log_is_shown_and_copied(qt, scripted, open_panel, spin):
    scripted.log_file.write_text("".join(f"line {number}\n" for number in range(300)))
    panel = open_panel(scripted.file)
    spin(panel.copy.isEnabled, "there is a log")
    assert panel.log_file.text() == "server.log"
    qt.test.keyClick(panel.copy, qt.core.Qt.Key.Key_Space)
    said = qt.gui.QGuiApplication.clipboard().text().splitlines()
    assert (len(said), said[0], said[-1]) == (200, "line 100", "line 299")
    assert panel.log.verticalScrollBar().value() == panel.log.verticalScrollBar().maximum()


def test_reading_the_log_is_not_disturbed_by_new_lines(qt, scripted, open_panel, spin):
    scripted.log_file.write_text("".join(f"line {number}\n" for number in range(150)))
    panel = open_panel(scripted.file)
    spin(panel.copy.isEnabled, "there is a log")
    panel.log.verticalScrollBar().setValue(20)
    with scripted.log_file.open("a") as log:
        log.write("news\n")
    spin(lambda: panel.log.toPlainText().endswith("news"), "the news is there")
    assert panel.log.verticalScrollBar().value() == 20


def test_the_doctors_report_opens_beside_the_panel(qt, full, spin, tmp_path):
    full.doctor.click()
    dialog = full._report
    assert dialog.isVisible()
    assert not dialog.isModal()
    spin(dialog.copy.isEnabled, "the report is there", 20.0)
    assert "Connection file" in dialog.pane.toPlainText()
    assert dialog.pane.isReadOnly()
    dialog.copy.click()
    assert qt.gui.QGuiApplication.clipboard().text() == dialog.pane.toPlainText()
    dialog.close()
    full.doctor.click()
    spin(dialog.copy.isEnabled, "it is made again", 20.0)
    dialog.close()


def test_a_panel_without_a_server_says_so(open_panel, tmp_path, spin):
    panel = open_panel(tmp_path / "connection.json")
    spin(is_in(panel, UNREACHABLE), "nobody is there")
    spin(lambda: panel.start.isEnabled(), "a server can be started")
    assert panel.engine.text() == "\u2013"
    assert not panel.unload.isEnabled()


def test_the_panel_follows_the_palette_of_its_program(qt, full, spin):
    before, old = full.styleSheet(), qt.app.palette()
    dark = qt.gui.QPalette(old)
    dark.setColor(qt.gui.QPalette.ColorRole.Window, qt.gui.QColor("#323232"))
    dark.setColor(qt.gui.QPalette.ColorRole.WindowText, qt.gui.QColor("#c8c8c8"))
    qt.app.setPalette(dark)
    spin(lambda: "color: #c8c8c8" in full.styleSheet(), "the panel is dark")
    assert full.jobs.painter.colours.text.name() == "#c8c8c8"
    qt.app.setPalette(old)
    spin(lambda: full.styleSheet() == before, "the panel is as it was")


def test_everything_is_in_the_panel_from_the_top_down(full):
    full.cache.clear.click()
    full.resize(420, 1200)
    parts = [full.state, full.detail, full.engine, full.memory, full.jobs_count, full.jobs, full.choice, full.cache]
    parts += [full.log_file, full.log, full.message]
    tops = [part.mapTo(full, part.rect().topLeft()).y() for part in parts]
    assert all(part.isVisibleTo(full) for part in parts)
    assert tops == sorted(tops)
    assert len(set(tops)) == len(tops)
    for left, right in ((full.state, full.stop), (full.engine, full.unload), (full.choice, full.cancel)):
        assert right.isVisibleTo(full)
        assert right.mapTo(full, right.rect().center()).x() > left.mapTo(full, left.rect().center()).x()
    for below, part in ((full.jobs, full.cancel), (full.cache, full.copy), (full.log, full.doctor)):
        assert part.mapTo(full, part.rect().topLeft()).y() > below.mapTo(full, below.rect().topLeft()).y()


def test_it_fills_its_place_and_its_words_keep_off_the_edge(qt, full):
    qt.app.processEvents()
    assert full.area.geometry() == full.rect()
    assert full.area.horizontalScrollBarPolicy() == qt.core.Qt.ScrollBarPolicy.ScrollBarAlwaysOff
    found = full.area.widget().layout()
    margins = found.contentsMargins()
    assert (margins.left(), margins.top(), margins.right(), margins.bottom(), found.spacing()) == (8, 8, 8, 8, 4)
    assert (full.objectName(), full.windowTitle()) == ("videomama_panel", "VideoMaMa")


def shown_in(item) -> list:
    """Return the widgets of a layout's item that are seen."""
    layout, widget = item.layout(), item.widget()
    if layout is not None:
        return [found for place in range(layout.count()) for found in shown_in(layout.itemAt(place))]
    return [widget] if widget is not None and widget.isVisible() else []


def test_all_sections_begin_and_end_at_the_same_edges(qt, full):
    full.resize(420, 1200)
    qt.app.processEvents()
    content = full.area.widget()
    rows = [shown_in(content.layout().itemAt(place)) for place in range(content.layout().count())]
    edges = {
        (min(one.geometry().left() for one in row), max(one.geometry().right() for one in row)) for row in rows if row
    }
    assert edges == {(8, content.width() - 9)}


def test_of_more_room_jobs_get_most_and_the_log_the_rest(qt, full):
    heights = {}
    for height in (900, 1500):
        full.resize(420, height)
        qt.app.processEvents()
        heights[height] = [part.height() for part in (full.jobs, full.log, full.cache)]
    jobs, log, cache = (new - old for old, new in zip(heights[900], heights[1500], strict=True))
    assert cache == 0
    assert jobs > log > 0
    metrics = qt.gui.QFontMetrics(full.log.font())
    assert full.log.minimumHeight() == 6 * metrics.lineSpacing()


@pytest.fixture
def told(qt, tmp_path):
    """A panel that shows what the test tells it, and asks no server: `told(state=RUNNING)`."""
    panel = qt.panel.Panel(connection_file=tmp_path / "connection.json")

    def tell(**known):
        panel.watcher._known.shot = snapshot.Snapshot(**known)
        panel.refresh()
        return panel

    yield tell
    panel.deleteLater()


def buttons(panel) -> list[bool]:
    """Return whether Start, Stop and Unload can be pressed, and whether Start and Stop are there."""
    usable = [button.isEnabled() for button in (panel.start, panel.stop, panel.unload)]
    return [*usable, not panel.start.isHidden(), not panel.stop.isHidden()]


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ({"state": snapshot.LOOKING}, [False, False, False, True, False]),
        ({"state": UNREACHABLE}, [True, False, False, True, False]),
        ({"state": UNREACHABLE, "busy": ("Starting a server",)}, [False, False, False, True, False]),
        ({"state": RUNNING}, [False, True, False, False, True]),
        ({"state": RUNNING, "busy": ("Stopping the server",)}, [False, False, False, False, True]),
    ],
    ids=str,
)
def test_only_what_helps_can_be_pressed(told, known, found):
    assert buttons(told(**known)) == found


def status(**changes) -> messages.StatusReported:
    return replace(
        messages.StatusReported("r", "0.1.0", 1, 1.0, "/cache", "/log", 4712, None, None, 0, 0, 0), **changes
    )


@pytest.mark.parametrize(("worker", "usable"), [(4712, True), (None, False)])
def test_the_engine_is_unloaded_only_where_there_is_a_process_of_it(told, worker, usable):
    assert told(state=RUNNING, status=status(worker_pid=worker)).unload.isEnabled() is usable


def test_details_take_no_room_where_there_are_none(told):
    assert told(state=snapshot.LOOKING).detail.isHidden()
    assert not told(state=UNREACHABLE, problem="nobody there").detail.isHidden()


def test_the_dot_has_the_colour_of_the_state(told):
    panel = told(state=UNREACHABLE)
    colours = panel._colours
    assert panel.dot.styleSheet() == f"color: {colours.bad.name()}"
    assert told(state=RUNNING).dot.styleSheet() == f"color: {colours.good.name()}"
    late = told(state=RUNNING, asked=time.time() - 10)
    assert late.dot.styleSheet() == f"color: {colours.warn.name()}"


def test_a_message_is_bad_only_as_long_as_it_is_the_news(told):
    bad = snapshot.Notice(1, time.time(), "the cache is in use", "Wait.", bad=True)
    assert told(notice=bad).message.property("role") == "bad"
    assert told(notice=bad, busy=("Pruning the cache",)).message.property("role") == "dim"
    assert told(notice=replace(bad, bad=False)).message.property("role") == "dim"


@pytest.mark.parametrize(
    ("rows", "said"),
    [([], ""), ([0], "/shots/sh010/plate.####.exr"), ([1], "plate frame 1003 is missing"), ([0, 1], "2 jobs chosen")],
)
def test_what_is_said_of_the_chosen_jobs(qt, told, make_job, rows, said):
    jobs = (make_job("a"), make_job("b", state="failed", message="plate frame 1003 is missing"))
    panel = told(state=RUNNING, jobs=jobs)
    flags = qt.core.QItemSelectionModel.SelectionFlag
    for row in rows:
        panel.jobs.selectionModel().select(panel.jobs.jobs.index(row, 0), flags.Select | flags.Rows)
    assert panel.choice.text().replace("\u200b", "") == said
    assert panel.cancel.isEnabled() is (0 in rows)


def test_the_logs_name_is_short_and_its_path_in_the_tooltip(told):
    panel = told(log_file="/a/b/server.log", log=("one", "two"))
    assert (panel.log_file.text(), panel.log_file.toolTip()) == ("server.log", "/a/b/server.log")
    assert panel.log.toPlainText() == "one\ntwo"
    assert panel.copy.isEnabled()
    panel = told()
    assert (panel.log_file.text(), panel.copy.isEnabled()) == ("not readable here", False)


def test_the_same_news_is_shown_once(told, monkeypatch):
    panel = told(state=RUNNING, log=("one",))
    shown = []
    monkeypatch.setattr(panel, "_show_server", shown.append)
    monkeypatch.setattr(panel, "_show_log", shown.append)
    panel.refresh()
    assert shown == []
    panel.watcher._known.shot = replace(panel.watcher._known.shot, since=1.0)
    panel.refresh()
    assert len(shown) == 1  # the log is as it was


def test_engine_and_memory_stand_in_a_grid_with_one_button_beside_both(full):
    content = full.area.widget().layout()
    grid = content.itemAt(2).layout()
    margins = grid.contentsMargins()
    assert (margins.left(), margins.top(), margins.right(), margins.bottom()) == (0, 0, 0, 0)
    assert (grid.horizontalSpacing(), grid.verticalSpacing()) == (8, 2)
    assert [grid.columnStretch(column) for column in range(3)] == [0, 1, 0]
    placed = {grid.itemAt(place).widget(): grid.getItemPosition(place) for place in range(grid.count())}
    found = {widget: tuple(position) for widget, position in placed.items()}
    assert [found[widget] for widget in (full.engine, full.memory, full.unload)] == [
        (0, 1, 1, 1),
        (1, 1, 1, 1),
        (0, 2, 2, 1),
    ]
    titles = {widget.text(): position for widget, position in found.items() if position[1] == 0}
    assert titles == {"Engine": (0, 0, 1, 1), "Memory": (1, 0, 1, 1)}
    assert [content.stretch(content.indexOf(part)) for part in (full.detail, full.jobs, full.cache, full.log)] == [
        0,
        3,
        0,
        2,
    ]


@pytest.mark.parametrize(("above", "follows"), [(0, True), (1, True), (2, False)])
def test_the_log_follows_its_end_only_where_that_was_seen(qt, told, monkeypatch, above, follows):
    lines = tuple(f"line {number}" for number in range(300))
    panel = told(log_file="/a/server.log", log=lines)
    monkeypatch.setattr(panel.watcher, "open", lambda: None)  # no thread changes what is known
    panel.resize(420, 700)
    panel.show()
    qt.app.processEvents()
    bar = panel.log.verticalScrollBar()
    bar.setValue(bar.maximum() - above)
    before = bar.value()
    told(log_file="/a/server.log", log=(*lines, *(f"more {number}" for number in range(50))))
    assert bar.value() == (bar.maximum() if follows else before)
    panel.hide()
