"""Every layout, in miniature: what is found, under which names, and what is said of what is not."""

import shutil

import pytest
from videomama_client.errors import BadInput
from videomama_server.datasets.layouts import LAYOUTS, read_data
from videomama_server.synthetic.degrade import parse
from videomama_server.synthetic.render import ClipSpec
from videomama_server.synthetic.suite import write_clip


def test_clips_of_our_own_command(tmp_path):
    write_clip(tmp_path / "lattice_sky", ClipSpec("lattice", "sky", 96, 64, 2), parse("mixed"))
    data = read_data(tmp_path)
    (clip,) = data.clips
    assert (data.layout, clip.name, clip.group, clip.data) == ("suite", "lattice_sky", "lattice", "suite")
    assert clip.numbers == [1001, 1002]
    assert [files[1002].name for files in (clip.truth, clip.mask, clip.foreground)] == [
        "alpha.1002.exr", "mask.1002.exr", "foreground.1002.exr",
    ]  # fmt: skip
    assert read_data(tmp_path / "lattice_sky").clips == [clip]


def test_a_clip_that_was_not_finished_is_told_beside_the_others(make):
    make.plain("fur_sky")
    suite = make.plain("hair_wall")
    (suite / "fur_sky" / "clip.json").unlink()
    data = read_data(suite)
    assert [clip.name for clip in data.clips] == ["hair_wall"]
    assert [broken.name for broken in data.broken] == ["fur_sky"]
    assert "no finished clip" in data.broken[0].error.message


def test_videomatte_from_every_folder_above_a_clip(make):
    root = make.rvm(clips=("0000", "0001"))
    part = root / "videomatte_96x64" / "videomatte_motion"
    names = {folder: [clip.name for clip in read_data(folder).clips] for folder in (root, part.parent, part)}
    inside = "videomatte_96x64/videomatte_motion/"
    assert names[root] == [f"{inside}0000", f"{inside}0001"]
    assert names[part.parent] == ["videomatte_motion/0000", "videomatte_motion/0001"]
    assert names[part] == ["0000", "0001"]
    (clip,) = read_data(part / "0001").clips
    assert (clip.name, clip.group, clip.data) == ("0001", "videomatte_motion", "VideoMatte")
    assert clip.numbers == [0, 1, 2]
    assert clip.plate[2] == part / "0001" / "com" / "0002.png"
    assert clip.mask is None
    assert clip.foreground[2] == part / "0001" / "fgr" / "0002.png"


def test_a_folder_of_masks_in_it_is_ours(make):
    (clip,) = read_data(make.rvm(masks=True)).clips
    assert clip.mask is not None
    assert clip.mask[1].parent.name == "mask"


@pytest.mark.parametrize("folders", [True, False])
def test_plain_folders_of_plate_mask_and_other_tools(make, folders):
    root = make.footage(folders=folders, tools=("matanyone", "artist"))
    data = read_data(root)
    (clip,) = data.clips
    assert (data.layout, clip.name, clip.group, clip.data) == ("footage", "shot", "shot", "footage")
    assert clip.truth is None
    assert clip.reference == clip.mask
    assert sorted(clip.others) == ["artist", "matanyone"]
    assert clip.numbers == sorted(clip.others["artist"]) == [1001, 1002, 1003]
    assert read_data(root / "shot").clips == [clip]


def test_a_shot_with_a_sequence_called_truth_has_exact_alphas(make):
    (clip,) = read_data(make.footage(tools=("truth",))).clips
    assert clip.truth is not None
    assert clip.others == {}


def test_a_shot_without_masks_and_a_tool_that_lacks_a_frame_are_told_beside_the_others(make):
    root = make.footage("whole")
    make.footage("bare")
    for path in (root / "bare" / "mask").iterdir():
        path.unlink()
    make.footage("short", tools=("artist",))
    (root / "short" / "artist" / "x.1002.exr").unlink()
    data = read_data(root)
    assert [clip.name for clip in data.clips] == ["whole"]
    told = {broken.name: broken.error.message for broken in data.broken}
    assert told["bare"].endswith("has no mask")
    assert told["short"] == "plate and artist do not share frames 1002"


def test_youtubematte_is_known_by_its_harmonised_plates(make):
    data = read_data(make.rvm("YouTubeMatte", plate="har", ending="jpg"))
    assert data.layout == "youtubematte"
    assert data.clips[0].data == "YouTubeMatte"
    assert data.clips[0].truth[0].suffix == ".jpg"


def test_v_him60_has_a_clip_for_every_subject(make):
    root = make.vhim()
    data = read_data(root)
    assert data.layout == "v-him60"
    assert [clip.name for clip in data.clips] == ["comp_hard/00012/00", "comp_hard/00012/01"]
    clip = data.clips[1]
    assert (clip.group, clip.data, clip.numbers) == ("comp_hard", "V-HIM60", [0, 1, 2])
    assert clip.truth[2] == root / "comp_hard" / "pha" / "00012" / "00002" / "01.png"
    assert clip.mask is not None
    assert clip.mask[2] == root / "comp_hard" / "xmem" / "00012" / "00002" / "01.png"
    assert [one.name for one in read_data(root / "comp_hard").clips] == ["00012/00", "00012/01"]


@pytest.mark.parametrize(("masks", "there"), [("xmem", True), ("sam2", True), (None, False)])
def test_masks_of_v_him60_by_any_name(make, masks, there):
    assert (read_data(make.vhim(masks=masks)).clips[0].mask is not None) == there


def test_two_kinds_of_masks_of_which_none_is_the_published_one_are_none(make, draw):
    root = make.vhim(masks="one")
    shutil.copytree(root / "comp_hard" / "one", root / "comp_hard" / "two")
    assert read_data(root).clips[0].mask is None


def test_a_subject_that_is_not_on_every_frame_is_told(make):
    root = make.vhim()
    (root / "comp_hard" / "pha" / "00012" / "00001" / "01.png").unlink()
    data = read_data(root)
    assert [clip.name for clip in data.clips] == ["comp_hard/00012/00"]
    assert data.broken[0].name == "comp_hard/00012/01"
    assert "plate and alpha do not share frames 1" in data.broken[0].error.message


def test_a_clip_with_a_gap_is_told(make):
    part = make.rvm(clips=("0000", "0001")) / "videomatte_96x64" / "videomatte_motion"
    for kind in ("com", "pha", "fgr"):
        (part / "0001" / kind / "0001.png").unlink()
    data = read_data(part)
    assert [clip.name for clip in data.clips] == ["0000"]
    assert "missing: frames 1" in data.broken[0].error.message


def test_a_clip_on_twos_is_whole(make):
    part = make.rvm(count=5) / "videomatte_96x64" / "videomatte_motion"
    for kind in ("com", "pha", "fgr"):
        for frame in (1, 3):
            (part / "0000" / kind / f"{frame:04d}.png").unlink()
    (clip,) = read_data(part).clips
    assert clip.numbers == [0, 2, 4]


def test_a_clip_without_plates_is_told(make):
    part = make.rvm(clips=("0000", "0001")) / "videomatte_96x64" / "videomatte_motion"
    shutil.rmtree(part / "0001" / "com")
    data = read_data(part)
    assert [broken.name for broken in data.broken] == ["0001"]


def test_a_folder_without_clips_says_what_is_expected(tmp_path, raises_with_hint):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput) as told:
        read_data(tmp_path)
    assert str(tmp_path) in told.value.message
    for layout in LAYOUTS.values():
        assert layout.expects in told.value.hint
    with raises_with_hint(BadInput, "is not a folder"):
        read_data(tmp_path / "none")


def test_a_layout_that_is_named_is_the_only_one_tried(make):
    root = make.rvm()
    assert read_data(root, "videomatte").layout == "videomatte"
    with pytest.raises(BadInput) as told:
        read_data(root, "suite")
    assert "clip.json" in told.value.hint
    assert "comp_hard" not in told.value.hint


@pytest.mark.parametrize("folders", [True, False])
def test_a_shot_of_plate_and_mask_alone_is_footage_too(make, folders):
    root = make.footage(folders=folders, tools=())
    for folder in (root, root / "shot"):
        (clip,) = read_data(folder).clips
        assert (clip.name, clip.others) == ("shot", {})
