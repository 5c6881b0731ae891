"""The knob of the foreground's files, from the node to colour on disk."""

import comps
import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.foreground import estimate


def patterns(comp):
    from videomama_nuke import order

    return order.read(comp.node()).foreground


def name(comp, text):
    comp.node()["foreground_file"].setValue(str(text))


def test_without_a_name_there_are_no_files(offline_comp):
    assert patterns(offline_comp) == {}


def test_a_name_is_opened_as_nuke_opens_it(offline_comp, tmp_path):
    name(offline_comp, tmp_path / "fg" / "fg.####.exr")
    assert patterns(offline_comp) == {"main": (tmp_path / "fg" / "fg.####.exr").as_posix()}
    offline_comp.nuke.root()["project_directory"].setValue(str(tmp_path))
    name(offline_comp, "fg/%v_fg.%04d.exr")
    assert patterns(offline_comp) == {"main": (tmp_path / "fg" / "m_fg.%04d.exr").as_posix()}


def test_each_view_has_files_of_its_own(offline_comp, tmp_path):
    offline_comp.nuke.root()["views"].fromScript("{left #ff0000}\n{right #00ff00}")
    name(offline_comp, tmp_path / "%V" / "fg.####.exr")
    assert [pattern.split("/")[-2] for pattern in patterns(offline_comp).values()] == ["left", "right"]
    name(offline_comp, tmp_path / "fg.####.exr")
    with pytest.raises(BadInput, match="the same for all views"):
        patterns(offline_comp)


@pytest.mark.parametrize("number", ["####", "%04d", "#"])
def test_the_plates_files_are_never_overwritten(offline_comp, tmp_path, number):
    reading = offline_comp.nuke.toNode("PlateRead")["file"].value()
    name(offline_comp, reading.replace("%04d", number).replace("####", number))
    offline_comp.press("refine")
    assert "would overwrite what the node reads" in offline_comp.status()


def test_a_name_without_a_place_for_the_number_is_refused(offline_comp, tmp_path):
    name(offline_comp, tmp_path / "fg.exr")
    offline_comp.press("refine")
    assert offline_comp.status().endswith("has no place for the frame's number. Write it as foreground.####.exr.")


def test_a_refine_writes_the_colour_of_its_alphas(comp, tmp_path):
    name(comp, tmp_path / "fg" / "fg.####.exr")
    comp.choose("1001-1003")
    assert comp.refine() == "refined 1001-1003"
    for frame in (1001, 1002, 1003):
        plate = comps.read_exr(tmp_path / f"plate.{frame}.exr")
        found = comps.read_exr(tmp_path / "fg" / f"fg.{frame}.exr")
        np.testing.assert_allclose(found, estimate(plate, comp.alpha(frame)[..., 0]), rtol=1e-3, atol=1e-3)


def test_a_name_that_is_given_later_makes_nothing_stale_and_computes_no_alpha(comp, tmp_path, monkeypatch):
    from videomama_nuke import job

    found, note = [], job.Refine._note

    def noting(refine, event):
        if type(event).__name__ == "MatteDone":
            found.append((event.computed, [(side.computed, side.cached) for side in event.side_results]))
        note(refine, event)

    monkeypatch.setattr(job.Refine, "_note", noting)
    comp.choose("1001-1003")
    comp.refine()
    name(comp, tmp_path / "fg" / "fg.####.exr")
    comp.node().showControlPanel()
    assert comp.status() == "refined 1001-1003"
    comp.refine()
    (tmp_path / "fg" / "fg.1002.exr").unlink()
    comp.refine()
    assert (tmp_path / "fg" / "fg.1002.exr").is_file()
    assert [sides for _, sides in found] == [[], [(3, 0)], [(0, 3)]]
    assert [alphas for alphas, _ in found[1:]] == [0, 0]


def test_a_file_that_cannot_be_written_fails_the_refine_and_keeps_the_alphas(comp, tmp_path):
    (tmp_path / "fg" / "fg.1002.exr").mkdir(parents=True)
    name(comp, tmp_path / "fg" / "fg.####.exr")
    comp.choose("1001-1003")
    said = comp.refine()
    assert said.startswith("failed: foreground frame 1002: ")
    assert "All alphas are done" in said
    assert comp.alpha(1002).shape[-1] == 1
    assert (tmp_path / "fg" / "fg.1003.exr").is_file()
