"""Named protocols: which clips, masks and measures they take."""

import pytest
from videomama_client.errors import BadInput
from videomama_server.config import Config
from videomama_server.datasets.layouts import LAYOUTS, read_data
from videomama_server.evaluate import published
from videomama_server.evaluate.asked import MEASURES
from videomama_server.evaluate.plan import EvaluationPlan
from videomama_server.evaluate.protocols import PROTOCOLS

_PAPER = ["down8", "down32", "polygon", "sam2", "sam2+first"]


def kinds(name, clips, asked=()):
    found = PROTOCOLS[name].kinds(clips, asked, Config())
    return {one.name: one.guidance for one in found}


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=lambda protocol: protocol.name)
def test_a_protocol_is_of_a_layout_and_of_measures_that_we_have(protocol):
    assert protocol.layout in LAYOUTS
    assert set(protocol.measures.only) <= set(MEASURES)


def test_every_published_figure_of_its_data_is_of_a_kind_of_masks_and_a_measure_that_it_takes():
    data = {"V-HIM60": "v-him60-hard", "YouTubeMatte": "youtubematte", "VideoMatte": "videomatte"}
    for one in published._PUBLISHED:
        protocol = PROTOCOLS[data[one.data]]
        assert one.masks in (*protocol.masks, "given")
        assert one.figures.keys() <= set(protocol.measures.only)


def test_masks_of_the_first_frame_guide_as_such_and_all_others_by_every_frame(make):
    clips = read_data(make.rvm()).clips
    assert kinds("videomatte", clips) == {name: "first" if "first" in name else "every" for name in _PAPER}
    assert kinds("videomatte", clips, ["held+first", "box"]) == {"held+first": "first", "box": "every"}


def test_masks_of_the_data_are_added_where_all_clips_have_some(make):
    clips = read_data(make.vhim()).clips
    assert list(kinds("v-him60-hard", clips)) == [*_PAPER, "given"]


def test_a_protocol_takes_its_part_of_the_data(make):
    root = make.vhim()
    (root / "comp_easy").symlink_to(root / "comp_hard")
    data = PROTOCOLS["v-him60-hard"].part(read_data(root))
    assert [clip.name for clip in data.clips] == ["comp_hard/00012/00", "comp_hard/00012/01"]
    assert len(PROTOCOLS["v-him60-hard"].part(read_data(root / "comp_hard")).clips) == 2
    with pytest.raises(BadInput, match="has no clips of comp_hard, which v-him60-hard measures"):
        PROTOCOLS["v-him60-hard"].part(read_data(root / "comp_easy"))


def test_a_part_keeps_what_of_it_cannot_be_read(make):
    root = make.vhim()
    (root / "comp_hard" / "fgr" / "00012" / "00001.jpg").unlink()
    assert len(PROTOCOLS["v-him60-hard"].part(read_data(root)).broken) == 2


def test_an_unknown_kind_of_masks_is_refused(make):
    clips = read_data(make.rvm()).clips
    with pytest.raises(BadInput, match="unknown mask degradation 'nonsense'"):
        kinds("videomatte", clips, ["nonsense"])


def test_a_clip_is_done_with_all_kinds_of_a_protocol(make, tmp_path):
    (clip,) = read_data(make.rvm()).clips
    protocol = PROTOCOLS["videomatte"]
    plan = EvaluationPlan([clip], [], protocol.kinds([clip], (), Config()), protocol.measures, tmp_path)
    assert [one.name for one in plan.masks_of(clip)] == _PAPER
