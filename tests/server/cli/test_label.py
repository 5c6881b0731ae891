"""`videomama label` as people run it: generated clips in SA-V's layout, killed twice, and what cannot work."""

import importlib.util
import json
import logging
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from videomama_server.cli import label as label_command
from videomama_server.datasets.layouts import read_data
from videomama_server.media import frames
from videomama_server.qc.files import refined_clip
from videomama_server.qc.report import check

log = logging.getLogger(__name__)
CLIPS, FRAMES = 30, 5  # annotated frames of each
BAD = {"sav_000003", "sav_000008", "sav_000021"}  # clips whose masks miss a frame


@pytest.fixture(scope="session")
def data():
    """The writers of data sets with masks: `data.plain(folder)`."""
    place = Path(__file__).parents[1] / "datasets" / "annotated.py"
    spec = importlib.util.spec_from_file_location("annotated_sets", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def words(server, tmp_path):
    """Return the words of the command: `words(folder, "--engine", "classic")`."""

    def made(folder, *more):
        named = ["--out", tmp_path / "out", "--connection-file", server.connection_file]
        return ["label", folder, *named, "--engine", "passthrough", "--roi", "off", *more]

    return made


def test_from_masks_to_labels(videomama, words, data, tmp_path):
    pytest.importorskip("av")
    said = videomama(*words(data.small_sav(tmp_path / "set", count=13), "--licence", "CC0", "--tolerate", "1"))
    assert said.code == 0, said.err
    assert "2 objects, 0 from an earlier run: 0 rejected, 0 failed." in said.out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "labels", "manifest.jsonl", "review", "statistics.json", "work",
    ]  # fmt: skip
    again = json.loads(videomama(*words(tmp_path / "set", "--licence", "CC0", "--tolerate", "1", "--json")).out)
    assert (again["made"], again["kept"], again["labels"]) == (0, 2, 2)
    assert again["licences"] == {"CC0": 2}


def test_shards_together_are_the_whole(videomama, words, data, tmp_path):
    for name in ("a", "b", "c"):
        data.plain(tmp_path / "set", name)
    made = [json.loads(videomama(*words(tmp_path / "set", "--shard", f"{part}/2", "--json")).out) for part in (1, 2)]
    assert [one["made"] for one in made] == [2, 1]
    assert made[1]["labels"] + made[1]["rejected"] == 3


def test_a_clip_that_fails_is_in_the_exit_code(videomama, words, data, tmp_path):
    folder = data.plain(tmp_path / "set", numbers=range(1001, 1006), masked={1001, 1002, 1005})
    said = videomama(*words(folder))
    assert said.code == 1
    assert "FAILED: shot_object: the masks of shot, object, are not equally far apart" in said.err


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--shard", "5/4"], "'5/4' is not a part of a whole"),
        (["--maker-set", "x=1"], "--maker-set is given without --maker"),
        (["--maker", "held"], "fades one mask into the next"),
        (["--then", "nonsense"], "nonsense"),
        (["--mask-channel", "R"], "--mask-channel is of no use here"),
        (["--plate-layer", "beauty"], "--plate-layer is of no use here"),
        (["--view", "left"], "--view is of no use here"),
        (["--layout", "davis"], "no clips with masks were found"),
    ],
)
def test_what_cannot_work_is_told_before_any_work(videomama, words, data, tmp_path, more, told):
    said = videomama(*words(data.plain(tmp_path / "set"), *more))
    assert said.code in {1, 2}
    assert told in said.err
    assert not (tmp_path / "out" / "labels").exists()


@pytest.fixture
def generated_set(data, tmp_path):
    """Thirty generated clips in SA-V's layout, and their exact alphas by name and frame."""
    pytest.importorskip("av")
    return tmp_path / "set", data.generated_sav(tmp_path / "set", CLIPS, BAD)


@pytest.mark.slow
def test_killed_twice_all_labels_are_there_and_nothing_is_done_twice(generated_set, start_server, eventually, tmp_path):
    folder, truths = generated_set
    out, server = tmp_path / "out", start_server()
    how = ["--engine", "classic", "--mask-quality", "exact"]  # cut from the exact alphas; auto is unsure at this size
    words = ["label", folder, "--out", out, *how, "--tolerate", "0.19", "--connection-file", server.connection_file]
    command = [sys.executable, "-m", "videomama_server", *map(str, words)]

    def records():
        return {path.parent.name: path.stat().st_mtime_ns for path in out.glob("[lr]*/*/label.json")}

    known = {}
    for wanted in (8, 19):
        with (tmp_path / "log").open("ab") as said, subprocess.Popen(command, stdout=said, stderr=said) as process:
            eventually(lambda: len(records()) >= wanted or process.poll() is not None, "some labels are made", 120)  # noqa: B023
            process.kill()
        found = records()
        assert wanted <= len(found) < CLIPS, (tmp_path / "log").read_text()
        assert {name: found[name] for name in known} == known
        known = found
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["kept"], said["made"], said["failed"]) == (len(known), CLIPS - len(known), 0)
    assert {name: stamp for name, stamp in records().items() if name in known} == known
    assert said["computed"] + said["cached"] == CLIPS * FRAMES
    assert len(server.entries()) == CLIPS * FRAMES
    _check_rejected(out)
    labels = read_data(out / "labels").clips
    errors = np.mean([_mad(clip, truths[clip.name.removesuffix("_manual-000")]) for clip in labels], axis=0)
    log.info("mean MAD of %d labels and of their masks, x1000: %.2f, %.2f", len(labels), *(1000 * errors))
    assert errors[0] < errors[1]


def _check_rejected(out):
    """See that the rejected are those that `qc` flags on a frame of five; masks that miss one are among them."""
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    rejected = {line["clip"]: line["reasons"] for line in lines if line["reasons"]}
    flagged = {}
    for line in lines:
        firsts = (str(min((out / line["folder"] / role).iterdir())) for role in ("plate", "mask", "truth"))
        clip = refined_clip(tuple(first.replace(".0000.", ".####.") for first in firsts), line["frames"])
        flagged[line["clip"]] = {frame for flag in check(clip).flags for frame in flag.frame_numbers}
    log.info("rejected: %s", rejected)
    assert rejected.keys() == {name for name, numbers in flagged.items() if len(numbers) > 0.19 * FRAMES}
    for name in BAD:
        assert rejected[name][0].startswith("mask missed on 8: ")


def _mad(clip, alphas):
    """Return the mean absolute difference of labels from exact alphas, and that of their masks."""

    def of(files):
        pairs = [(frames.read_mask(files[number]).pixels[..., 0], alphas[number]) for number in clip.numbers]
        return float(np.mean([np.abs(one - exact).mean() for one, exact in pairs]))

    return of(clip.truth), of(clip.mask)


@pytest.mark.parametrize(
    ("text", "part"),
    [("1/1", (1, 1)), ("3/64", (3, 64)), ("64/64", (64, 64)), ("65/64", None), ("0/4", None), ("3", None)],
)
def test_a_part_is_one_of_a_whole(text, part):
    kind = label_command._Shard()
    if part:
        assert kind.convert(text, None, None) == part == kind.convert(part, None, None)
    else:
        with pytest.raises(click.UsageError, match="is not a part of a whole, such as 3/64"):
            kind.convert(text, None, None)
