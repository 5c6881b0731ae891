"""The jobs as a table."""

from dataclasses import replace

import pytest


@pytest.fixture
def model(qt, make_job):
    made = qt.model.JobsModel()
    made.show([make_job("a", seconds=75.0), make_job("b", state="done")])
    return made


def test_it_has_a_row_for_each_job_and_nothing_below(qt, model):
    assert (model.rowCount(), model.columnCount()) == (2, 3)
    inside, outside = model.index(0, 0), qt.core.QModelIndex()
    assert (model.rowCount(inside), model.columnCount(inside)) == (0, 0)
    assert (model.rowCount(outside), model.columnCount(outside)) == (2, 3)


def test_columns_have_names_and_tooltips_and_rows_have_none(qt, model):
    role, across, down = qt.core.Qt.ItemDataRole, qt.core.Qt.Orientation.Horizontal, qt.core.Qt.Orientation.Vertical
    assert [model.headerData(column, across) for column in range(3)] == ["Job", "Progress", "Time"]
    tips = [model.headerData(column, across, int(role.ToolTipRole)) for column in range(3)]
    assert [tip.split()[0] for tip in tips] == ["What", "Frames", "Since"]
    assert model.headerData(0, across, int(role.DecorationRole)) is None
    assert model.headerData(0, down) is None


def test_a_cell_has_words_and_the_row_the_record(qt, model, make_job):
    role = qt.core.Qt.ItemDataRole
    words = [model.data(model.index(0, column)) for column in range(3)]
    assert words == ["shot010.nk VideoMaMa1", "10 of 40 \u00b7 2 cached", "1:15"]
    assert model.data(model.index(1, 0), qt.model.STATE_ROLE).job == "b"
    assert model.job(1).job == "b"
    for asked in (role.ToolTipRole, role.AccessibleTextRole):
        assert "running, interactive" in model.data(model.index(0, 1), int(asked))
    assert model.data(model.index(0, 0), int(role.DecorationRole)) is None
    assert model.data(qt.core.QModelIndex()) is None


def test_rows_change_in_place(qt, make_job):
    model = qt.model.JobsModel()
    resets = []
    model.modelReset.connect(lambda: resets.append(1))
    jobs = [make_job(name) for name in "abcde"]
    model.show(jobs)
    kept = qt.core.QPersistentModelIndex(model.index(2, 0))
    model.show([make_job("new"), jobs[0], replace(jobs[2], done=11), jobs[4]])
    assert [model.job(row).job for row in range(model.rowCount())] == ["new", "a", "c", "e"]
    assert kept.row() == 2
    assert model.job(2).done == 11
    assert not resets
    model.show(jobs[::-1])
    assert resets
    assert [model.job(row).job for row in range(model.rowCount())] == list("edcba")


def test_only_rows_that_changed_are_said_to_have(qt, make_job):
    model = qt.model.JobsModel()
    jobs = [make_job(name) for name in "abcd"]
    model.show(jobs)
    changes = []
    model.dataChanged.connect(
        lambda first, last, *_: changes.append((first.row(), last.row(), first.column(), last.column()))
    )
    model.show(jobs)
    assert changes == []
    model.show([jobs[0], replace(jobs[1], done=11), replace(jobs[2], done=12), jobs[3]])
    assert changes == [(1, 2, 0, 2)]


def test_each_row_that_comes_or_goes_is_said_by_itself(qt, make_job):
    model = qt.model.JobsModel()
    jobs = [make_job(name) for name in "abcd"]
    model.show(jobs)
    said = []
    model.rowsInserted.connect(lambda _, first, last: said.append(("in", first, last)))
    model.rowsRemoved.connect(lambda _, first, last: said.append(("out", first, last)))
    model.show([jobs[1], make_job("new"), jobs[3]])
    assert said == [("out", 2, 2), ("out", 0, 0), ("in", 1, 1)]
