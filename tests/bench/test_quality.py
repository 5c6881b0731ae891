from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.synthetic.degrade import QUALITIES, parse
from videomama_server.synthetic.render import ClipSpec
from videomama_server.synthetic.suite import write_clip

BENCH = str(Path(__file__).parents[2] / "bench")


@pytest.fixture
def quality(load_bench, monkeypatch):
    monkeypatch.syspath_prepend(BENCH)
    return load_bench("quality")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    spec = ClipSpec("hair", "wall", 320, 180, 3)
    return write_clip(tmp_path_factory.mktemp("clips") / spec.name, spec, parse("down8", 1))


@pytest.fixture
def run(quality, written, monkeypatch, capsys):
    """Run the command on the clip, with more words; returns its exit code and what it printed."""

    def command(*words):
        argv = ["quality.py", str(written.folder.parent), "--json", "--frames", "2", *map(str, words)]
        monkeypatch.setattr("sys.argv", argv)
        with pytest.raises(SystemExit) as ended:
            quality.main()
        return ended.value.code, json.loads(capsys.readouterr().out)

    return command


def test_figures_are_ratios_to_the_masks_of_a_quality(run):
    code, found = run("--qualities", "small,rough")
    assert code == 0
    assert (found["clips"], found["frames"]) == (1, 2)
    assert list(found["summary"]["classic"]) == ["small", "rough"]
    assert 0 < found["summary"]["classic"]["small"]["mad"] < 1


def test_saved_figures_are_compared_and_what_got_worse_fails(run, tmp_path):
    saved = tmp_path / "before.json"
    run("--qualities", "small", "--save", saved)
    code, found = run("--qualities", "small", "--against", saved)
    assert (code, found["against"]["classic"]["worse"]) == (0, [])
    before = json.loads(saved.read_text())
    before["figures"]["classic"]["small"]["hair_wall"]["grad"] *= 0.5
    saved.write_text(json.dumps(before))
    code, found = run("--qualities", "small", "--against", saved)
    assert code == 1
    assert found["against"]["classic"]["worse"][0].startswith("hair_wall small grad")


def test_masks_of_a_quality_are_the_same_every_time_and_differ_by_quality(quality, written):
    masks = {name: quality.Clip(written.folder, 2).masks(name) for name in QUALITIES}
    again = quality.Clip(written.folder, 2).masks("network")
    np.testing.assert_array_equal(masks["network"], again)
    assert len({np.stack(of).tobytes() for of in masks.values()}) == len(QUALITIES)


def test_exact_alphas_have_no_error(quality, written):
    clip = quality.Clip(written.folder, 3)
    assert quality.errors(clip, clip.truths) == pytest.approx(dict.fromkeys(quality.MEASURES, 0))


def test_clips_are_chosen_by_the_beginning_of_their_names(quality, written):
    folder = written.folder.parent
    assert [clip.name for clip in quality.clips_in(folder, ["ha"], 2)] == ["hair_wall"]
    with pytest.raises(SystemExit):
        quality.clips_in(folder, ["fur"], 2)


def test_a_plain_folder_with_a_sequence_truth_is_a_clip(quality, written, tmp_path):
    plain = tmp_path / "shot"
    plain.mkdir()
    for number in written.spec.numbers:
        for what, called in (("plate", "plate"), ("alpha", "truth")):
            (plain / f"{called}.{number}.exr").write_bytes(written.at(what, number).read_bytes())
    np.testing.assert_array_equal(quality.Clip(plain, 3).truths, quality.Clip(written.folder, 3).truths)


@pytest.fixture
def pymatting_of_the_called(monkeypatch):
    """Let pymatting compile what is called: by itself it compiles all that it has at its first import, for a minute."""
    numba = pytest.importorskip("numba", reason="pymatting needs it, which is compared with: pip install -e '.[bench]'")

    def compiled_when_called(signature=None, **options):
        later = numba.core.decorators.njit(nogil=True)
        return later(signature) if callable(signature) else later

    with monkeypatch.context() as patched:
        patched.setattr(numba, "njit", compiled_when_called)
        pytest.importorskip("pymatting", reason="it is what is compared with: pip install -e '.[bench]'")


@pytest.mark.usefixtures("pymatting_of_the_called")
def test_other_methods_stand_beside_on_the_same_pairs(run):
    _, found = run("--qualities", "small", "--beside")
    assert list(found["summary"]) == ["classic", "guided", "closed_form", "knn"]
    for method in found["summary"].values():
        assert 0 < method["small"]["mad"] < 1


def test_a_trimap_knows_how_good_the_mask_is_and_a_flat_mask_is_left_alone(quality, load_bench):
    beside = load_bench("beside")
    mask = np.zeros((540, 960), np.float32)
    mask[170:370, 380:580] = 1
    band = {name: (beside.trimap_of(mask, name) == 0.5).sum() for name in ("exact", "network", "rough")}
    assert band["exact"] < band["network"] < band["rough"]
    flat = np.ones((54, 96), np.float32)
    np.testing.assert_array_equal(beside.knn(np.zeros((54, 96, 3), np.float32), flat, "exact"), flat)


def test_masks_that_lie_there_are_measured_too(quality, written):
    masks = quality.Clip(written.folder, 2).masks("given")
    np.testing.assert_array_equal(masks[1], quality.cover(written.at("mask", written.spec.numbers[1])))


def test_seconds_are_of_the_processor_for_each_engine(run, quality, monkeypatch):
    monkeypatch.setattr(quality, "TIMED", (("hair", "wall"),))
    monkeypatch.setattr(quality, "TIMED_FRAMES", 2)
    monkeypatch.setattr(quality, "TIMED_SIZE", (320, 180))
    _, found = run("--qualities", "exact", "--timed", "--engine", "classic", "--engine", "classic:fast")
    taken = found["seconds_per_frame_1080p"]
    assert list(taken) == ["classic", "classic:fast"]
    assert min(taken.values()) > 0


def test_any_degradation_is_a_quality_and_others_are_refused(run, quality, written):
    short = quality.Clip(written.folder, 2).masks("network_short")
    assert short[0][-1].max() == 0
    with pytest.raises(BadInput, match="nonsense"):
        run("--qualities", "nonsense")


def test_without_a_folder_every_kind_is_made_with_and_without_photographs(quality, monkeypatch, tmp_path):
    pytest.importorskip("skimage", reason="photographs: pip install -e '.[bench]'")
    monkeypatch.setattr(quality, "MADE_SIZE", (96, 64))
    names = {clip.name for clip in quality.clips_in(quality.make_clips(tmp_path, 1), [], 1)}
    assert {"hair_wall", "dark_grain_city", "boards", "curls_brick"} < names
