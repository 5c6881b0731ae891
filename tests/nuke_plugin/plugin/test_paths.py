"""Paths as Nuke opens them."""

import pytest


@pytest.fixture
def paths(bare_nuke):
    from videomama_nuke import paths

    return paths


@pytest.mark.parametrize(
    ("pattern", "of_right"),
    [("/s/%V/p.%04d.exr", "/s/right/p.%04d.exr"), ("/s/%v.%04d.exr", "/s/r.%04d.exr"), ("/s/p.exr", "/s/p.exr")],
)
def test_the_view_is_put_in(paths, pattern, of_right):
    assert paths.of_view(pattern, "right") == of_right


def test_a_knob_is_evaluated_then_its_view_is_put_in_then_the_farm_maps_it(paths, bare_nuke):
    nuke = bare_nuke
    nuke.addFilenameFilter(lambda path: path.replace("/studio/", "/farm/") if path.startswith("/studio/") else None)
    read = nuke.nodes.Read(file="/studio/%V/p.%04d.exr")
    assert paths.opened(read["file"], "left") == "/farm/left/p.%04d.exr"
    read["file"].setValue("/elsewhere/p.%04d.exr")
    assert paths.opened(read["file"], "left") == "/elsewhere/p.%04d.exr"
    read["file"].setValue("/studio/[value root.first_frame]/p.exr")
    assert paths.opened(read["file"], "left") == "/farm/1/p.exr"
    read["file"].setValue("")
    assert paths.opened(read["file"], "left") == ""
    assert paths.mapped("/studio/x") == "/farm/x"
    assert paths.mapped("/other/x") == "/other/x"


def test_a_relative_path_lies_in_the_project_directory_else_in_the_working_folder(
    paths, bare_nuke, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert paths.absolute("a/p.exr") == (tmp_path / "a" / "p.exr").as_posix()
    bare_nuke.root()["project_directory"].setValue("/jobs/show")
    assert paths.absolute("a/p.exr") == "/jobs/show/a/p.exr"
    for path in ("", "/a/p.exr", r"\\server\p.exr", "C:/p.exr", r"d:\p.exr"):
        assert paths.absolute(path) == path
