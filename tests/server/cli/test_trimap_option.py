from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput
from videomama_client.objects import MaskObject
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage
from videomama_server.cli.trimap_option import beside_sheet, trimaps_of
from videomama_server.submission import Submission

EDGE = Stage("vitmatte", (EngineOption("steady", 0.5), EngineOption("show", "alpha")))
ORDER = Submission("/p.####.exr", "/m.####.exr", "/a.####.exr", MatteSettings("classic"), then=(EDGE, Stage("adjust")))


def test_the_trimaps_are_those_of_the_refiner_over_the_same_alphas():
    found = trimaps_of(ORDER, "/t.####.exr")
    shown = Stage("vitmatte", (EngineOption("steady", 0.5), EngineOption("show", "trimap")))
    assert found == replace(ORDER, out="/t.####.exr", then=(shown,), no_job_file=True)


def test_a_refiner_may_be_the_only_stage():
    found = trimaps_of(replace(ORDER, settings=MatteSettings("mematte"), then=()), "/t.####.exr")
    assert found.settings.option("show") == "trimap"
    assert found.then == ()


def test_a_job_without_a_refiner_has_no_trimap():
    with pytest.raises(BadInput, match="no stage of the job is an edge refiner") as refused:
        trimaps_of(replace(ORDER, then=(Stage("adjust"),)), "/t.####.exr")
    assert "--then vitmatte" in refused.value.hint


def test_each_object_shows_the_trimap_of_its_own_chain():
    own = (Stage("classic"), Stage("adjust"), Stage("mematte"))
    both = (MaskObject("hero", "/h.####.exr"), MaskObject("dog", "/d.####.exr", stages=own))
    found = trimaps_of(replace(ORDER, mask="", objects=both), "/t_{object}.####.exr")
    hero, dog = (one.stages for one in found.objects)
    assert [stage.engine for stage in hero] == ["classic", "vitmatte"]
    assert hero[-1].options == (EngineOption("steady", 0.5), EngineOption("show", "trimap"))
    assert dog == (*own[:2], Stage("mematte", (EngineOption("show", "trimap"),)))
    assert found.out == "/t_{object}.####.exr"


def test_an_object_without_a_refiner_has_no_trimap_and_is_named():
    both = (MaskObject("hero", "/h.####.exr"), MaskObject("dog", "/d.####.exr", stages=(Stage("classic"),)))
    with pytest.raises(BadInput, match="no stage of object dog is an edge refiner"):
        trimaps_of(replace(ORDER, mask="", objects=both), "/t_{object}.####.exr")


def test_trimaps_do_not_overwrite_the_alphas():
    with pytest.raises(BadInput, match="the same files"):
        trimaps_of(ORDER, ORDER.out)


def test_the_contact_sheet_has_trimaps_of_a_refiner_of_one_mask():
    folder = Path("/qc")
    assert beside_sheet(ORDER, folder) == str(folder.absolute() / "trimap.####.exr")
    assert beside_sheet(replace(ORDER, settings=MatteSettings("mematte"), then=()), folder)
    assert beside_sheet(replace(ORDER, then=(Stage("adjust"),)), folder) == ""
    assert beside_sheet(replace(ORDER, objects=(MaskObject("hero", "/m.####.exr"),)), folder) == ""
