"""`job.json`: which options it names, where it goes, and that nothing that changes pixels is left out."""

import json
from dataclasses import replace

import pytest
from videomama_client.engine_options import EngineOption
from videomama_client.job_file import MADE, JobFile, click_text, job_file_of, options_of, stage_text
from videomama_client.messages import FOREGROUND, MatteDone, ObjectDone, SideResult, StageDone, SubmitMatte
from videomama_client.objects import MaskObject
from videomama_client.prompts import BOX, MASK, POINT, TEXT, Prompt, read_box, read_click, read_key_mask
from videomama_client.settings import MatteSettings
from videomama_client.stage_words import read, words_of
from videomama_client.stages import Stage

ASKED = SubmitMatte("r", "/p.####.exr", "/m.####.exr", "/out/a.####.exr", MatteSettings())
RESOLVED = MatteSettings.of(engine="classic", window=8, overlap=0, roi="1,2,30,40", colorspace="srgb", mask_slack=0.0)
CLASSIC = StageDone("classic", 2, 1, settings=RESOLVED, fingerprint="classic-9")
ADJUST = StageDone(
    "adjust", 3, 0, settings=MatteSettings.of(engine="adjust", window=1, overlap=0, roi="off", feather=1.5)
)
MAKER = StageDone("held", 3, 0, role="maker", settings=MatteSettings.of(engine="held", roi="0,0,64,64", hold=2.0))


def done(*stages, **changes):
    return MatteDone("j", 3, 2, 1, 1.5, stages[0].engine, [1, 2, 30, 40], stages=list(stages), **changes)


def options(*stages, **changes):
    return options_of(replace(ASKED, **changes), done(*stages, clip="1001-1009", frame_ranges="1002-1004"))


def test_the_settings_are_those_that_were_decided():
    assert options(CLASSIC) == {
        "plate": "/p.####.exr",
        "mask": "/m.####.exr",
        "out": "/out/a.####.exr",
        "clip": "1001-1009",
        "frames": "1002-1004",
        "engine": "classic",
        "window": 8,
        "overlap": 0,
        "roi": "1,2,30,40",
        "colorspace": "srgb",
        "mask-slack": 0.0,
        "exposure": 0.0,
        "mask-grow": 0.0,
        "mask-close-holes": 0.0,
    }


def test_a_chain_names_its_maker_and_takes_the_region_of_the_first_stage_after_it():
    said = options(MAKER, CLASSIC, ADJUST, then=(Stage("classic"), Stage("adjust")))
    assert (said["maker"], said["maker-set"], said["engine"]) == ("held", {"hold": 2.0}, "classic")
    assert said["roi"] == "1,2,30,40"
    assert said["then"] == ["adjust feather=1.5 window=1 overlap=0"]


def test_a_maker_alone_is_a_job_of_masks_unless_it_has_a_mask():
    said = options(MAKER, mask="")
    assert (said["maker"], said["set"]) == ("held", {"hold": 2.0})
    assert not {"engine", "roi", "window", "then"} & said.keys()
    assert options(MAKER)["engine"] == "held"


def test_the_settings_of_an_engine_of_another_package_are_given_by_set():
    other = StageDone("stub", 1, 0, settings=MatteSettings("stub", engine_options=(EngineOption("mask_slack", "x"),)))
    assert options(other)["set"] == {"mask_slack": "x"}


def test_an_older_server_that_tells_no_settings_leaves_what_was_asked_for():
    told = StageDone("classic", 1, 0)
    asked = {"settings": MatteSettings.of(engine="auto", window=4), "then": (Stage("adjust", window=2),)}
    said = options_of(replace(ASKED, **asked, clip="1-9"), done(told, told))
    assert (said["engine"], said["window"], said["then"], said["clip"]) == ("auto", 4, ["adjust window=2"], "1-9")


PROMPTS = (
    Prompt(POINT, 1001, (640.0, 300.5)),
    Prompt(POINT, 1001, (-12.0, 40.0)),
    Prompt(POINT, -5, (80.0, 40.0), subject=False),
    Prompt(POINT, 1, (-80.0, 40.0), subject=False),
    Prompt(BOX, 1003, (0.1, 2.0, 30.0, 1e-7)),
    Prompt(TEXT, text="the 'old' dog"),
    Prompt(MASK, 1002, file="/keys/k.1002.exr"),
)


def test_prompts_are_read_back_as_they_were():
    said = options(MAKER, CLASSIC, prompts=PROMPTS, then=(Stage("classic"),))
    read_back = [read_click(text) for text in said["click"]] + [read_box(text) for text in said["box"]]
    read_back += [Prompt(TEXT, text=text) for text in said["say"]] + [read_key_mask(text) for text in said["key-mask"]]
    assert tuple(read_back) == PROMPTS
    assert click_text(PROMPTS[1]) == "1001:+-12,40"


def test_objects_have_their_masks_prompts_and_whole_chains():
    objects = (MaskObject("hero", "/h.####.exr", "hero.alpha"), MaskObject("dog", ""))
    prompts = (replace(PROMPTS[0], object="dog"),)
    ended = [
        ObjectDone("hero", 1, 0, "classic", stages=[CLASSIC]),
        ObjectDone("dog", 1, 0, "held", stages=[MAKER, CLASSIC]),
    ]
    request = replace(ASKED, mask="", objects=objects, prompts=prompts)
    said = options_of(request, replace(done(CLASSIC), objects=ended))
    assert said["object"] == {
        "hero": {"mask": "/h.####.exr:hero.alpha", "stage": ["classic mask_slack=0 window=8 overlap=0"]},
        "dog": {"click": ["1001:640,300.5"], "stage": ["held hold=2", "classic mask_slack=0 window=8 overlap=0"]},
    }
    assert "engine" not in said


def test_side_results_are_options_too():
    side = SideResult(FOREGROUND, "/fg.####.exr", "half", True)
    said = options(CLASSIC, side_results=(side,), layer="matte", dtype="half")
    assert said["foreground"] == "/fg.####.exr"
    assert (said["foreground-dtype"], said["foreground-premultiplied"]) == ("half", True)
    assert (said["layer"], said["dtype"]) == ("matte", "half")


@pytest.mark.parametrize("value", ["plain", "two words", "it's", 'say "x"', "", True, 0.1, 1e-12, 3, -2.5, 1e300])
def test_a_stage_is_read_back_as_it_was(value):
    text = stage_text("stub", {"a": value, "window": 8, "overlap": None})
    told = read(words_of(text), None)
    assert (told.engine, told.window, told.overlap) == ("stub", 8, None)
    expected = {True: "yes"}.get(value, value) if isinstance(value, bool) else value
    assert (
        type(value)(told.options[0].value) == value
        if isinstance(value, float)
        else told.options[0].value == str(expected)
    )


def ended(**changes):
    return done(CLASSIC, server="1.2", clip="1-3", frame_ranges="1-3", plate_digest="pp", mask_digest="mm", **changes)


def test_the_file_tells_how_the_alphas_were_made(tmp_path):
    request = replace(ASKED, out=str(tmp_path / "a.####.exr"), label="shot")
    path = JobFile(request, {"trimap": "/t.####.png"}, {"asked": "x"}).leave(ended(warnings=["look"]))
    assert path == tmp_path / "job.json"
    said = json.loads(path.read_text())
    made = said[MADE]
    assert said["trimap"] == "/t.####.png"
    assert (made["server"], made["label"], made["warnings"], made["asked"]) == ("1.2", "shot", ["look"], "x")
    assert made["digests"] == {"plate": "pp", "mask": "mm"}
    assert made["requested"]["settings"]["engine"] == "auto"
    assert made["effective"] == {"clip": "1-3", "frames": "1-3", "frame_count": 3}
    assert made["stages"][0]["fingerprint"] == "classic-9"
    assert job_file_of(request.out) == said


def test_each_output_in_a_folder_has_a_file_of_its_own(tmp_path):
    def leave(name):
        request = replace(ASKED, out=str(tmp_path / name))
        return JobFile(request).leave(ended()).name

    assert leave("a.####.exr") == "job.json"
    assert leave("b.%04d.exr") == "b.job.json"
    assert leave("a.####.exr") == "job.json"
    assert leave("b.%04d.exr") == "b.job.json"
    assert leave("####.exr") == "alpha.job.json"
    assert job_file_of(str(tmp_path / "b.%04d.exr"))["out"].endswith("b.%04d.exr")
    assert job_file_of(str(tmp_path / "c.####.exr")) is None


@pytest.mark.parametrize("content", ["{", "[1]", '{"out": "x"}', '"x"', "\udcff"])
def test_a_job_file_of_somebody_else_is_left_alone(tmp_path, content):
    theirs = tmp_path / "job.json"
    theirs.write_bytes(content.encode(errors="surrogateescape"))
    path = JobFile(replace(ASKED, out=str(tmp_path / "a.####.exr"))).leave(ended())
    assert path.name == "a.job.json"
    assert theirs.read_bytes() == content.encode(errors="surrogateescape")


def test_objects_in_folders_of_their_own_share_the_file_above_these(tmp_path):
    out = str(tmp_path / "{object}" / "alpha.####.exr")
    assert (
        JobFile(replace(ASKED, out=out)).leave(ended(), tmp_path / "hero" / "alpha.1001.exr") == tmp_path / "job.json"
    )


def test_a_client_that_writes_elsewhere_has_the_file_beside_its_alphas(tmp_path):
    (tmp_path / "here").mkdir()
    path = JobFile(ASKED).leave(ended(), tmp_path / "here" / "mine.1001.exr")
    assert path == tmp_path / "here" / "job.json"


def test_a_file_that_cannot_be_written_is_an_os_error_that_names_it(tmp_path):
    with pytest.raises(OSError, match=r"job\.json"):
        JobFile(replace(ASKED, out=str(tmp_path / "none" / "a.####.exr"))).leave(ended())
