"""What `matte` asks for before a server is asked, and that nothing of it is lost on the way to `job.json`."""

import json
from pathlib import Path

import pytest
from videomama_client.errors import BadInput
from videomama_client.settings import MatteSettings
from videomama_server.cli import matte_job
from videomama_server.cli.matte import matte
from videomama_server.cli.matte_job import absolute, asked_of
from videomama_server.cli.usage import WrongUse


@pytest.fixture
def asked():
    """Return what words of `matte` ask for."""

    def read(*words):
        context = matte.make_context("matte", [str(word) for word in words])
        flags = dict(context.params)
        for name in ("as_json", "no_start", "connection_file"):
            del flags[name]
        return asked_of(context, flags)

    return read


def test_a_wish_is_known_by_its_digest_and_prompts_by_their_order(asked, make_clip):
    clip = make_clip(count=2)
    base = ("--plate", clip.plate, "--out", clip.out, "--maker", "sam2")
    one = (*base, "--object", "a", "--click", "1001:1,1", "--object", "b", "--click", "1001:2,2")
    other = (*base, "--object", "a", "--click", "1001:1,1", "--click", "1001:2,2", "--object", "b=m.exr")
    assert asked(*one).order.asked == asked(*one, "--priority", "batch").order.asked
    assert asked(*one).order.asked != asked(*other).order.asked


def test_what_is_made_of_the_alphas_is_part_of_the_job_file(asked, make_clip, tmp_path):
    clip = make_clip(count=2)
    words = ("--plate", clip.plate, "--mask", clip.mask, "--out", clip.out, "--trimap", tmp_path / "t.####.png")
    found = asked(*words, "--qc", tmp_path / "qc", "--hole-masks", tmp_path / "h.####.png")
    assert found.order.beside == found.beside()
    assert found.beside()["trimap"] == str(tmp_path / "t.####.png")
    assert found.beside()["qc"] == str(tmp_path / "qc")
    assert found.beside()["hole-masks"] == str(tmp_path / "h.####.png")


def test_several_objects_make_no_hole_masks(asked, make_clip, tmp_path):
    clip = make_clip(count=1)
    words = ("--plate", clip.plate, "--out", clip.out, "--object", f"a={clip.mask}", "--object", f"b={clip.mask}")
    with pytest.raises(BadInput, match="makes no hole masks"):
        asked(*words, "--hole-masks", tmp_path / "h.####.png")


def test_a_pattern_counts_from_the_working_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert absolute("a.####.exr") == str(Path.cwd() / "a.####.exr")


def test_a_job_says_where_all_of_it_lies_and_leaves_it_in_its_file(videomama, server, make_clip):
    clip = make_clip(count=2)
    holes, fg = clip.folder / "holes" / "h.####.png", clip.folder / "fg" / "f.####.exr"
    words = [*clip.flags("--connection-file", str(server.connection_file)), "--hole-masks", holes, "--foreground", fg]
    said = videomama(*words)
    assert said.code == 0, said.err
    assert said.out.splitlines()[-3:] == [clip.out, str(fg), str(holes)]
    assert json.loads(videomama(*words, "--json").out)["hole_masks"] == str(holes)
    left = json.loads((clip.folder / "out" / "job.json").read_text())
    assert (left["hole-masks"], left["foreground"]) == (str(holes), str(fg))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--foreground-dtype", "half"), "--foreground-dtype is given without --foreground"),
        (("--foreground-premultiplied",), "--foreground-premultiplied is given without --foreground"),
        (("--maker-set", "seed=1"), "--maker-set is given without --maker"),
        (("--click", "1001:1,1"), "the click 1001:1,1 needs an engine that makes masks"),
        (("--project", "film"), "--project names plate, mask and output itself"),
        (("--first-frame", "7"), "--first-frame is given without a movie"),
    ],
)
def test_what_does_not_go_together_is_refused(asked, make_clip, words, said):
    clip = make_clip(count=1)
    with pytest.raises(BadInput, match=said):
        asked("--plate", clip.plate, "--mask", clip.mask, "--out", clip.out, *words)


@pytest.mark.parametrize(
    ("given", "lacks"),
    [
        ((), "--plate, --mask, --out not given"),
        (("--plate", "p.####.exr"), "--mask, --out not given"),
        (("--out", "a.####.exr", "--maker", "sam2"), "--plate not given"),
        (("--out", "a.####.exr", "--object", "hero=m.####.exr", "--object", "b=n.####.exr"), "--plate not given"),
    ],
)
def test_what_a_job_needs_is_named(asked, given, lacks):
    with pytest.raises(WrongUse, match=f"^{lacks}"):
        asked(*given)


def test_quality_control_needs_masks_on_disk(asked, make_clip, tmp_path):
    clip = make_clip(count=1)
    words = ("--plate", clip.plate, "--out", clip.out, "--maker", "sam2", "--click", "1001:1,1")
    with pytest.raises(WrongUse, match="--qc compares the alpha with --mask"):
        asked(*words, "--qc", tmp_path / "qc")


def test_where_colour_trimaps_and_hole_masks_go_counts_from_the_working_folder(asked, make_clip, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    clip = make_clip(count=1)
    words = ("--plate", clip.plate, "--mask", clip.mask, "--out", clip.out, "--foreground", "f.####.exr")
    found = asked(*words, "--foreground-dtype", "float", "--foreground-premultiplied", "--trimap", "t.####.png")
    (side,) = found.order.side_results
    assert (side.kind, side.out, side.dtype) == ("foreground", str(tmp_path / "f.####.exr"), "float")
    assert (side.premultiplied, found.trimap) == (True, str(tmp_path / "t.####.png"))
    plain = asked(*words[:-2])
    assert (plain.order.side_results, plain.trimap, plain.removal, plain.preview) == ((), "", None, None)


def test_each_object_has_its_mask_and_the_job_its_numbers(asked, make_clip, monkeypatch, tmp_path):
    clip = make_clip(count=1)
    monkeypatch.chdir(clip.folder)
    words = ("--plate", "plate.####.exr", "--out", "out/a.####.exr")
    found = asked(*words, "--object", "hero=mask.####.exr", "--object", "dog=mask.####.exr:G").order
    assert [(one.name, one.mask, one.mask_channel) for one in found.objects] == [
        ("hero", str(clip.folder / "mask.####.exr"), ""),
        ("dog", str(clip.folder / "mask.####.exr"), "G"),
    ]
    assert (found.plate, found.mask, found.out) == (clip.plate, "", str(clip.folder / "out" / "a.####.exr"))


def test_weights_are_found_by_a_server_that_has_another_working_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    settings = MatteSettings.of(engine="videomama", weights="w")
    assert matte_job._from_here(settings).option("weights") == str(tmp_path / "w")
    assert matte_job._from_here(MatteSettings()) == MatteSettings()


def test_a_pattern_from_a_folder_that_is_gone_is_refused(monkeypatch, tmp_path):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(BadInput, match="counts from the working folder, which is gone"):
        absolute("a.####.exr")
    monkeypatch.chdir(tmp_path)
