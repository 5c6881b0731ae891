"""The table of jobs as it is painted and used by keys."""

import pytest


@pytest.fixture
def view(qt, make_job):
    """The table with three jobs, in a window."""
    from videomama_nuke.panel.jobs_view import JobsView

    made = JobsView()
    made.pressed, made.choices = [], []
    made.delete_pressed.connect(lambda: made.pressed.append(1))
    made.choice_changed.connect(lambda: made.choices.append([job.job for job in made.chosen()]))
    made.resize(400, 300)
    made.show_jobs([make_job("a"), make_job("b"), make_job("c", state="done")])
    made.show()
    made.activateWindow()
    qt.app.processEvents()
    yield made
    made.close()
    made.deleteLater()


@pytest.mark.parametrize("key", ["Key_Delete", "Key_Backspace"])
def test_delete_and_backspace_ask_to_stop(qt, view, key):
    qt.test.keyClick(view, getattr(qt.core.Qt.Key, key))
    assert view.pressed == [1]


def test_other_keys_are_the_tables(qt, view):
    view.selectRow(0)
    view.setFocus()
    qt.test.keyClick(view, qt.core.Qt.Key.Key_Down)
    assert view.pressed == []
    assert [job.job for job in view.chosen()] == ["b"]


def choose(qt, view, *rows: int) -> None:
    """Choose these rows and no others, whatever keys are held."""
    flags = qt.core.QItemSelectionModel.SelectionFlag
    view.clearSelection()
    for row in rows:
        view.selectionModel().select(view.jobs.index(row, 0), flags.Select | flags.Rows)


def test_whole_rows_are_chosen_several_at_once_in_their_order(qt, view):
    abstract = qt.widgets.QAbstractItemView
    assert view.selectionBehavior() == abstract.SelectionBehavior.SelectRows
    assert view.selectionMode() == abstract.SelectionMode.ExtendedSelection
    choose(qt, view, 2, 1)
    assert [job.job for job in view.chosen()] == ["b", "c"]
    assert view.choices[-1] == ["b", "c"]


def test_tab_leaves_the_table(view):
    assert not view.tabKeyNavigation()


def test_one_column_is_seen_without_headers_grid_or_sideways_scrolling(qt, view):
    assert [view.isColumnHidden(column) for column in range(3)] == [False, True, True]
    assert view.columnWidth(0) == view.viewport().width()
    assert view.horizontalHeader().isHidden()
    assert view.verticalHeader().isHidden()
    assert not view.showGrid()
    assert not view.wordWrap()
    assert view.horizontalScrollBarPolicy() == qt.core.Qt.ScrollBarPolicy.ScrollBarAlwaysOff
    assert view.verticalScrollMode() == qt.widgets.QAbstractItemView.ScrollMode.ScrollPerPixel


def test_a_row_has_room_for_two_lines_and_four_rows_are_always_seen(qt, view):
    metrics = view.fontMetrics()
    height = view.rowHeight(0)
    assert height == 2 * metrics.height() + 8 + 3 + 2  # air above and below, the bar, and a gap
    assert view.minimumHeight() == 4 * height + 2
    option = qt.widgets.QStyleOptionViewItem()
    option.fontMetrics = metrics
    hint = view.painter.sizeHint(option, view.jobs.index(0, 0))
    assert (hint.width(), hint.height()) == (0, height)


def picture(qt, view):
    """Return what the table shows."""
    view.viewport().update()
    qt.app.processEvents()
    return view.viewport().grab().toImage()


def colours_in(image, row) -> set[str]:
    """Return the colours of a row of pixels, by name."""
    return {image.pixelColor(x, row).name() for x in range(image.width())}


def bar(view, row: int) -> int:
    """Return a y inside the bar of a row."""
    bottom = view.visualRect(view.jobs.index(row, 0)).bottom()
    return bottom - 5


def test_the_bar_shows_cached_and_computed_shares(qt, view, make_job):
    view.show_jobs(
        [
            make_job("a", frame_count=40, done=30, computed=10),
            make_job("b", frame_count=40, done=30, computed=10, state="done"),
        ]
    )
    image, colours = picture(qt, view), view.painter.colours
    inner = view.visualRect(view.jobs.index(0, 0)).adjusted(7, 0, -7, 0)
    at = lambda share, row: image.pixelColor(inner.left() + round(share * (inner.width() - 1)), bar(view, row)).name()  # noqa: E731
    names = [getattr(colours, name).name() for name in ("cached", "accent", "line")]
    assert [at(share, 0) for share in (0.02, 0.48, 0.52, 0.73, 0.77, 1.0)] == [name for name in names for _ in (0, 1)]
    assert at(0.6, 1) == colours.ended.name()
    assert image.pixelColor(inner.left() - 1, bar(view, 0)).name() == colours.base.name()


def test_the_bar_is_three_pixels_high_with_air_below_and_words_above(qt, view, make_job):
    view.show_jobs([make_job("a", frame_count=40, done=0, computed=0)])
    image, colours = picture(qt, view), view.painter.colours
    row = view.visualRect(view.jobs.index(0, 0))
    full = [y for y in range(row.top(), row.bottom() + 1) if image.pixelColor(row.center().x(), y) == colours.line]
    assert full == [row.bottom() - 6, row.bottom() - 5, row.bottom() - 4]
    left = [x for x in range(image.width()) if image.pixelColor(x, full[0]) == colours.line]
    assert (left[0], left[-1]) == (row.left() + 7, row.right() - 7)


def test_a_painter_is_given_back_as_it_was(qt, view):
    pixmap = qt.gui.QPixmap(400, 60)
    painter = qt.gui.QPainter(pixmap)
    painter.setPen(qt.gui.QColor("#123456"))
    option = qt.widgets.QStyleOptionViewItem()
    option.rect = pixmap.rect()
    view.painter.paint(painter, option, view.jobs.index(0, 0))
    pen = painter.pen().color().name()
    painter.end()
    assert pen == "#123456"


def test_a_job_that_ended_before_it_was_planned_has_no_bar(qt, view, make_job):
    view.show_jobs(
        [
            make_job("a", frame_count=None, done=0, computed=0),
            make_job("b", frame_count=None, done=0, computed=0, state="failed"),
        ]
    )
    image, colours = picture(qt, view), view.painter.colours
    assert colours.line.name() in colours_in(image, bar(view, 0))
    assert colours_in(image, bar(view, 1)) == {colours.base.name()}


def test_a_chosen_row_has_its_own_ground(qt, view):
    choose(qt, view, 1)
    image, colours = picture(qt, view), view.painter.colours
    tops = [view.visualRect(view.jobs.index(row, 0)).top() + 1 for row in range(3)]
    grounds = [colours_in(image, top) for top in tops]
    assert grounds == [{colours.base.name()}, {colours.selected.name()}, {colours.base.name()}]


def test_new_colours_are_painted(qt, view):
    palette = qt.gui.QPalette(view.palette())
    palette.setColor(qt.gui.QPalette.ColorRole.Base, qt.gui.QColor("#123456"))
    view.take_colours(qt.style.Colours(palette))
    top = view.visualRect(view.jobs.index(0, 0)).top() + 1
    assert colours_in(picture(qt, view), top) == {"#123456"}


def test_without_jobs_it_says_so_in_a_quiet_colour(qt, view):
    view.show_jobs([])
    image, colours = picture(qt, view), view.painter.colours
    seen = {image.pixelColor(x, y).lightness() for x in range(image.width()) for y in range(image.height())}
    assert max(seen) == colours.base.lightness()
    assert colours.dim.lightness() <= min(seen) < colours.dim.lightness() + 40


def test_what_fits_is_the_longest_choice_and_else_the_first_is_cut(qt, view):
    from videomama_nuke.panel import jobs_view

    metrics = view.fontMetrics()
    choices = ("running, interactive, passthrough", "running, interactive", "running")
    widths = [metrics.horizontalAdvance(choice) for choice in choices]
    for choice, width in zip(choices, widths, strict=True):
        assert jobs_view._fitting(choices, metrics, width) == choice
    cut = jobs_view._fitting(choices, metrics, widths[-1] - 1)
    assert cut != choices[0]
    assert cut.endswith("\u2026")
    assert choices[0].startswith(cut[:-1])
