"""The record beside the alphas."""

from dataclasses import replace

import comps
import numpy as np
import pytest


@pytest.fixture
def left(offline_comp):
    """A comp, its record, and the folder of its alphas."""
    from videomama_nuke import record

    offline_comp.show_alphas()
    (path,) = (offline_comp.folder / "videomama").glob("*/*/record.json")
    return offline_comp, record.read(offline_comp.node()), path.parent


def test_it_is_the_record_of_the_node(left):
    from videomama_nuke import sidecar

    _, last, folder = left
    assert sidecar.read(folder) == last
    assert sidecar.folders(folder.parent) == [folder]
    assert sidecar.time_of(folder) == (folder / "record.json").stat().st_mtime
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["record.json"]


def test_a_folder_is_made_for_it(left):
    from videomama_nuke import sidecar

    _, last, folder = left
    sidecar.leave(last, folder.parent / "new" / "deeper")
    assert sidecar.read(folder.parent / "new" / "deeper") == last


@pytest.mark.parametrize("content", [None, b"{", b"\xff"])
def test_where_there_is_none_or_a_broken_one_there_is_nothing(left, content):
    from videomama_nuke import sidecar

    comp, _, folder = left
    path = folder / "record.json"
    path.unlink()
    if content is None:
        assert sidecar.time_of(folder) == 0.0
    else:
        path.write_bytes(content)
    assert sidecar.read(folder) is None
    assert not sidecar.contradicts(folder, _above(comp))


def _above(comp):
    from videomama_nuke import walk

    return walk.read(comp.node())


def test_files_that_were_written_again_contradict_it(left):
    from videomama_nuke import sidecar

    comp, last, folder = left
    assert not sidecar.contradicts(folder, _above(comp))
    comps.write_exr(comp.folder / "mask.1005.exr", np.ones((comps.HEIGHT, comps.WIDTH), np.float32), ("A",))
    assert sidecar.contradicts(folder, _above(comp))
    sidecar.leave(replace(last, upstream=None), folder)  # of an earlier version: nobody can tell
    assert not sidecar.contradicts(folder, _above(comp))
