"""Views and proxy mode in the stand-in: %V, Write.views, proxy files, scaled pictures, and anamorphic formats."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def stereo(nuke, exr, tmp_path):
    """A project with left and right, and a plate for each."""
    nuke.root().addView("left")
    nuke.root().addView("right")
    nuke.root().deleteView("main")
    for value, view in ((0.25, "left"), (0.75, "right")):
        exr.flat(tmp_path / f"plate_{view}.0001.exr", (value, 0, 0, 1))
    return nuke.nodes.Read(file=f"{tmp_path}/plate_%V.%04d.exr", raw=True)


def writing(nuke, source, path, **knobs):
    write = nuke.nodes.Write(inputs=[source], raw=True, file=str(path), file_type="exr", channels="rgba")
    for name, value in knobs.items():
        write[name].setValue(value)
    return write


def red(exr, path):
    return float(exr.read(path).channel("R")[0, 0])


def test_every_view_has_its_own_file(nuke, stereo, exr, tmp_path):
    nuke.execute(writing(nuke, stereo, tmp_path / "out_%V.exr"), 1, 1)
    assert [red(exr, tmp_path / f"out_{view}.exr") for view in ("left", "right")] == [0.25, 0.75]


def test_short_names_of_views(nuke, stereo, tmp_path):
    nuke.execute(writing(nuke, stereo, tmp_path / "out_%v.exr"), 1, 1)
    assert sorted(p.name for p in tmp_path.glob("out_*")) == ["out_l.exr", "out_r.exr"]


def test_only_the_views_that_are_asked_for(nuke, stereo, tmp_path):
    nuke.execute(writing(nuke, stereo, tmp_path / "out_%V.exr"), 1, 1, 1, ["right"])
    assert [p.name for p in tmp_path.glob("out_*")] == ["out_right.exr"]


def test_only_the_views_of_the_write(nuke, stereo, tmp_path):
    nuke.execute(writing(nuke, stereo, tmp_path / "out_%V.exr", views="left"), 1, 1)
    assert [p.name for p in tmp_path.glob("out_*")] == ["out_left.exr"]


def test_a_view_that_is_not_there(nuke, stereo, tmp_path):
    with pytest.raises(RuntimeError, match="no view named middle"):
        nuke.execute(writing(nuke, stereo, tmp_path / "out_%V.exr"), 1, 1, 1, ["middle"])


def test_several_views_need_a_place_in_the_path(nuke, stereo, tmp_path):
    write = writing(nuke, stereo, tmp_path / "out.exr")
    with pytest.raises(RuntimeError, match=r"^Write1 cannot be executed for multiple views\.$"):
        nuke.execute(write, 1, 1)
    nuke.execute(write, 1, 1, 1, ["left"])


def test_one_view(nuke, stereo, exr, tmp_path):
    one = nuke.nodes.OneView(inputs=[stereo], view="right")
    nuke.execute(writing(nuke, one, tmp_path / "out_%V.exr"), 1, 1)
    assert [red(exr, tmp_path / f"out_{view}.exr") for view in ("left", "right")] == [0.75, 0.75]


def test_join_views(nuke, stereo, exr, tmp_path):
    right = nuke.nodes.OneView(inputs=[stereo], view="right")
    left = nuke.nodes.OneView(inputs=[stereo], view="left")
    joined = nuke.nodes.JoinViews(inputs=[right, left])
    nuke.execute(writing(nuke, joined, tmp_path / "out_%V.exr"), 1, 1)
    assert [red(exr, tmp_path / f"out_{view}.exr") for view in ("left", "right")] == [0.75, 0.25]


def test_this_view_in_a_callback_and_afterwards(nuke, stereo, tmp_path):
    nuke.execute(writing(nuke, stereo, tmp_path / "out_%V.exr"), 1, 1)
    assert nuke.thisView() in ("left", "main")


# Proxy


@pytest.fixture
def plate(nuke, exr, tmp_path):
    pixels = np.zeros((6, 8, 4), np.float32)
    pixels[:, 4:] = 1
    return nuke.nodes.Read(file=exr.write(tmp_path / "full.exr", pixels), raw=True)


def test_proxy_mode_scales_what_has_no_proxy_file(nuke, plate, exr, tmp_path):
    write = writing(nuke, plate, tmp_path / "out.exr")
    nuke.root().setProxy(True)
    nuke.execute(write, 1, 1)
    after = exr.read(tmp_path / "out.exr")
    assert (after.display, after.data) == ((0, 0, 4, 3), (0, 0, 4, 3))
    assert after.channel("R")[0].tolist() == [0, 0, 1, 1]


def test_proxy_mode_writes_to_the_proxy_path(nuke, plate, tmp_path):
    write = writing(nuke, plate, tmp_path / "out.exr", proxy=f"{tmp_path}/small.exr")
    nuke.root().setProxy(True)
    nuke.execute(write, 1, 1)
    assert (tmp_path / "small.exr").is_file()
    assert not (tmp_path / "out.exr").exists()


def test_proxy_mode_reads_the_proxy_file(nuke, plate, exr, tmp_path):
    plate["proxy"].setValue(exr.flat(tmp_path / "small.exr", (0.5, 0, 0, 1), size=(4, 3)))
    write = writing(nuke, plate, tmp_path / "out.exr")
    nuke.root().setProxy(True)
    nuke.execute(write, 1, 1)
    assert red(exr, tmp_path / "out.exr") == 0.5
    nuke.root().setProxy(False)
    assert plate.width() == 8


def test_sizes_are_in_proxy_pixels(nuke, plate):
    assert (plate.width(), plate.height()) == (8, 6)
    nuke.root().setProxy(True)
    assert (plate.width(), plate.height()) == (4, 3)
    nuke.root()["proxy_scale"].setValue(0.25)
    assert (plate.width(), plate.height()) == (2, 2)


def test_proxy_by_format(nuke, plate):
    nuke.root()["format"].setValue("8 6 0 0 8 6 1 tiny")
    nuke.root()["proxy_format"].setValue("2 2 0 0 2 2 1 tiniest")
    nuke.root()["proxy_type"].setValue("format")
    nuke.root().setProxy(True)
    assert (plate.width(), plate.height()) == (2, 2)


def test_a_crop_is_scaled_with_the_picture(nuke, plate):
    crop = nuke.nodes.Crop(inputs=[plate], crop=False)
    crop["box"].setValue([2, 2, 6, 6])
    nuke.root().setProxy(True)
    box = crop.bbox()
    assert (box.x(), box.y(), box.w(), box.h()) == (1, 1, 2, 2)


# Anamorphic


def test_an_anamorphic_plate_keeps_its_aspect(nuke, exr, tmp_path):
    path = exr.write(tmp_path / "a.exr", np.ones((6, 8, 4)), aspect=2.0)
    node = nuke.nodes.Read(file=path, raw=True)
    assert node.pixelAspect() == 2.0
    nuke.execute(writing(nuke, node, tmp_path / "out.exr"), 1, 1)
    assert exr.read(tmp_path / "out.exr").aspect == 2.0
