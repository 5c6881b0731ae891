"""Figures of many frames and many clips, against sums done by hand."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from videomama_client.errors import BadInput
from videomama_server.datasets.clip import GroundTruthClip
from videomama_server.evaluate import summary
from videomama_server.evaluate.plan import EvaluationOutcome, Failure, Unit
from videomama_server.evaluate.published import beside
from videomama_server.evaluate.summary import from_json, summed_up, to_json
from videomama_server.evaluate.unit_result import UnitResult


def unit(name, engine, mad, dtssd=None, *, data="suite", group="hair", size=(96, 64), masks="given", seconds=None):
    files = {1 + index: Path(f"{index}.png") for index in range(len(mad))}
    clip = GroundTruthClip(name, group, data, "p.####.png", files, files)
    scores = {"mad": mad, "dtssd": dtssd or [None, *mad[1:]]}
    made = "" if engine == "mask" else engine.partition(":")[0]
    result = UnitResult("print", made, size, sorted(files), scores, seconds)
    return Unit(clip, masks, engine, files, result, again=False)


@pytest.fixture
def outcome():
    return EvaluationOutcome(
        [
            unit("a", "mask", [4.0, 8.0]),
            unit("a", "classic:fast", [1.0, 5.0], seconds=0.5),
            unit("b", "mask", [2.0, 2.0], [None, 0.0]),
            unit("b", "classic:fast", [3.0, 3.0]),
            unit("c", "mask", [10.0, 10.0], group="fur"),
            unit("c", "classic:fast", [1.0, 2.0], group="fur", seconds=1.5),
        ],
        [Failure("d", "given", "mask", "broken", "mend it")],
    )


def rows(of, **wanted):
    return [row for row in of if all(getattr(row, name) == value for name, value in wanted.items())]


def test_a_clip_has_mean_worst_and_ratios_to_its_mask(outcome):
    found = summed_up(outcome)
    (row,) = rows(found.per_clip, name="a", engine="classic:fast")
    assert (row.mean["mad"], row.worst["mad"], row.clips) == (3.0, 5.0, 1)
    assert (row.ratio["mad"], row.worst_ratio["mad"]) == (0.5, 0.625)
    assert row.mean["dtssd"] == 5.0  # the first frame has none
    (base,) = rows(found.per_clip, name="a", engine="mask")
    assert (base.mean["mad"], base.ratio, base.seconds_per_frame) == (6.0, {}, None)


def test_there_is_no_ratio_to_nothing(outcome):
    (row,) = rows(summed_up(outcome).per_clip, name="b", engine="classic:fast")
    assert row.ratio == {"mad": 1.5}


def test_a_kind_is_the_mean_and_the_worst_of_its_clips(outcome):
    found = summed_up(outcome)
    (hair,) = rows(found.groups, name="hair", engine="classic:fast")
    assert (hair.clips, hair.mean["mad"], hair.worst["mad"]) == (2, 3.0, 3.0)
    assert (hair.ratio["mad"], hair.worst_ratio["mad"]) == (1.0, 1.5)
    assert hair.seconds_per_frame == 0.5
    (everything,) = rows(found.overall, engine="classic:fast")
    assert (everything.name, everything.clips) == ("suite 96x64", 3)
    assert everything.mean["mad"] == pytest.approx(2.5)
    assert everything.ratio["mad"] == pytest.approx((0.5 + 1.5 + 0.15) / 3)
    assert everything.seconds_per_frame == 1.0


def test_sizes_and_masks_are_not_averaged_with_each_other():
    units = [
        unit("a", "mask", [1.0]),
        unit("a", "mask", [2.0], masks="box"),
        unit("b", "mask", [3.0], size=(10, 10)),
    ]
    found = summed_up(EvaluationOutcome(units))
    assert [(row.data, row.masks) for row in found.overall] == [
        ("suite 96x64", "given"), ("suite 96x64", "box"), ("suite 10x10", "given"),
    ]  # fmt: skip


def test_the_worst_j_is_the_lowest_and_has_no_ratio():
    units = [unit("a", engine, [1.0, 2.0]) for engine in ("mask", "classic")]
    for one in units:
        one.result.scores["j"] = [0.25, 0.75]
    (row,) = rows(summed_up(EvaluationOutcome(units)).per_clip, engine="classic")
    assert (row.mean["j"], row.worst["j"]) == (0.5, 0.25)
    assert "j" not in row.ratio


def test_rvm_means_are_over_clips_first_and_count_the_first_frame():
    units = [
        unit("a", "mask", [2.0, 4.0], data="VideoMatte"),
        unit("b", "mask", [4.0, 8.0, 9.0], data="VideoMatte"),
    ]
    (row,) = summed_up(EvaluationOutcome(units)).spreadsheet
    assert row.mean["mad"] == pytest.approx((3 + 6 + 9) / 3)
    assert row.mean["dtssd"] == pytest.approx((0 + 6 + 9) / 3)
    assert summed_up(EvaluationOutcome([unit("a", "mask", [1.0])])).spreadsheet == []


def test_it_goes_through_json(outcome):
    found = summed_up(outcome)
    content = json.loads(json.dumps(to_json(found)))
    assert json.loads(json.dumps(to_json(from_json(content)))) == content
    assert content["failures"][0]["message"] == "broken"
    assert content["engines"] == {"classic:fast": "classic"}
    assert found.excerpt().frames == []


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"clips": []}'])
def test_what_is_no_evaluation_is_refused(tmp_path, text):
    (tmp_path / "e.json").write_text(text)
    with pytest.raises(BadInput):
        summary.read(tmp_path / "e.json")
    with pytest.raises(BadInput):
        summary.read(tmp_path / "none.json")


def test_nothing_at_all_can_be_summed_up():
    found = summed_up(EvaluationOutcome([], [Failure("d", "", "mask", "broken", "")]))
    assert (found.clips, found.overall, found.measures) == ([], [], [])


def test_published_figures_stand_beside_the_same_data_size_and_masks_only():
    def methods(*place):
        return {one.method for one in beside(*place)}

    hd = (1920, 1080)
    assert "VideoMaMa++" in methods("VideoMatte", "videomatte_motion", hd, "given")
    assert methods("VideoMatte", "videomatte_motion", (512, 288), "given") == set()
    assert methods("VideoMatte", "videomatte_motion", hd, "mixed") == set()
    assert methods("suite", "hair", hd, "given") == set()
    assert methods("V-HIM60", "comp_hard", (1280, 720), "down8") == {"mask", "MaGGIe, fine-tuned", "VideoMaMa"}
    assert methods("V-HIM60", "comp_easy", (1280, 720), "down8") == set()
    for one in beside("YouTubeMatte", "", hd, "down32"):
        assert one.source
        assert one.differs


def test_a_published_size_counts_only_where_all_clips_have_it():
    def sources(*sizes):
        units = [
            unit(f"{size}", "mask", [1.0], data="V-HIM60", group="comp_hard", size=size, masks=masks)
            for size in sizes
            for masks in ("given", "down8")
        ]
        found = summed_up(EvaluationOutcome(units))
        assert {row.data for row in found.overall} == {"V-HIM60"}  # as published tables average
        return {one.source.partition(" (")[0] for one in found.published}

    assert sources((1920, 1080)) == {"VideoMaMa++", "VideoMaMa"}
    assert sources((1920, 1080), (1280, 720)) == {"VideoMaMa"}


def test_published_figures_are_told_once():
    units = [
        unit(name, "mask", [1.0], data="YouTubeMatte", group=name, size=(1920, 1080), masks="down8") for name in "ab"
    ]
    assert [one.method for one in summed_up(EvaluationOutcome(units)).published] == ["mask", "VideoMaMa"]


def test_clips_that_show_the_same_are_summed_up_where_the_data_says_so():
    units = [
        unit(name, "mask", [mad], [None], masks="given", group="comp_hard")
        for name, mad in (("a", 2.0), ("b", 4.0), ("c", 9.0))
    ]
    subjects = {"a": "people", "b": "people", "c": ""}
    units = [replace(one, clip=replace(one.clip, subject=subjects[one.clip.name])) for one in units]
    groups = summed_up(EvaluationOutcome(units)).groups
    assert [(row.name, row.clips, row.mean["mad"]) for row in groups] == [("comp_hard", 3, 5.0), ("people", 2, 3.0)]


def test_the_worst_j_and_f_is_the_lowest_and_has_no_ratio():
    units = [unit("a", engine, [1.0, 1.0]) for engine in ("mask", "classic")]
    for one, figures in zip(units, ([0.5, 0.7], [0.9, 0.8]), strict=True):
        one.result.scores["jf"] = figures
    (row,) = rows(summed_up(EvaluationOutcome(units)).per_clip, engine="classic")
    assert row.worst["jf"] == 0.8
    assert "jf" not in row.ratio
