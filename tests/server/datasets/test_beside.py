"""Results of other tools: a folder per clip, found by the clip's name."""

import pytest
from videomama_client.errors import BadInput
from videomama_server.datasets.beside import with_alphas
from videomama_server.datasets.layouts import read_data


@pytest.fixture
def clips(make):
    return read_data(make.vhim(subjects=2)).clips


def results(folder, draw, name, count=3):
    for index in range(count):
        draw.put(folder / name / f"alpha.{index:04d}.png", draw.disc(index))
    return folder


def test_a_clip_has_the_alphas_in_the_folder_of_its_name(clips, draw, tmp_path):
    folder = results(tmp_path / "out", draw, "comp_hard/00012/01")
    without, having = with_alphas(clips, "matanyone2", folder)
    assert without.others == {}
    assert sorted(having.others["matanyone2"]) == having.numbers


@pytest.mark.parametrize(
    ("place", "count", "message"),
    [
        ("elsewhere", 3, "has no results of these clips"),
        ("comp_hard/00012/01", 2, "matanyone2, comp_hard/00012/01: plate and matanyone2 do not share frames 2"),
    ],
)
def test_results_that_do_not_fit_are_refused(clips, draw, tmp_path, place, count, message):
    folder = results(tmp_path / "out", draw, place, count)
    with pytest.raises(BadInput) as caught:
        with_alphas(clips, "matanyone2", folder)
    assert message in caught.value.message


def test_a_folder_that_is_not_there_is_refused(clips, tmp_path):
    with pytest.raises(BadInput, match="is not a folder"):
        with_alphas(clips, "matanyone2", tmp_path / "none")


def test_two_results_of_one_name_are_refused(clips, draw, tmp_path):
    folder = results(tmp_path / "out", draw, "comp_hard/00012/01")
    with pytest.raises(BadInput, match="two results called x"):
        with_alphas(with_alphas(clips, "x", folder), "x", folder)
