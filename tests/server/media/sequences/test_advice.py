import shlex

import pytest
from videomama_client.errors import BadInput
from videomama_server.media.sequences import find, parse, refuse_stray_frames
from videomama_server.media.sequences.advice import _likeness, no_match
from videomama_server.media.sequences.listing import Listed


@pytest.fixture
def folder(tmp_path):
    """A folder with two sequences, a still, two versions and a note."""
    inside = tmp_path / "shot 1"
    (inside / "empty").mkdir(parents=True)
    names = [f"plate.{frame}.exr" for frame in range(1001, 1041)] + [f"shot_{frame:04d}.png" for frame in (1, 2, 4)]
    for name in [*names, "ref.jpg", "comp_v001.exr", "comp_v002.exr", "notes.txt"]:
        (inside / name).touch()
    return inside


def said(pattern):
    with pytest.raises(BadInput) as raised:
        find(parse(str(pattern)))
    return raised.value


@pytest.mark.parametrize(
    ("asked", "proposed"),
    [
        ("plate.#####.exr", "plate.####.exr"),
        ("plate.%06d.exr", "plate.####.exr"),
        ("plate.####.EXR", "plate.####.exr"),
        ("Plate.####.exr", "plate.####.exr"),
        ("plate_####.exr", "plate.####.exr"),
        ("plates.####.exr", "plate.####.exr"),
        ("plate.2000.exr", "plate.####.exr"),
        ("plate.exr", "plate.####.exr"),
        ("shot.####.png", "shot_####.png"),
        ("shot_####.jpg", "shot_####.png"),
        ("ref.jpeg", "ref.jpg"),
    ],
)
def test_a_slip_in_the_name_gets_a_proposal_that_works(folder, asked, proposed):
    error = said(folder / asked)
    assert f"no frames match {folder / asked}" in error.message
    assert error.hint == f"Did you mean {folder / proposed}?"
    assert find(parse(str(folder / proposed)))


@pytest.mark.parametrize("asked", ["comp_####.exr", "comp_1001.exr", "COMP_%04d.EXR"])
def test_names_that_differ_in_their_number_alone_are_alike_in_full(asked):
    group = Listed("comp_", ".exr", 4, ("comp_0001.exr",), (1,))
    assert _likeness(group, parse(asked)) == 1.0
    assert _likeness(group, parse(asked.casefold().replace("comp", "roto"))) < 0.6


def test_what_matches_nothing_lists_what_is_there(folder):
    error = said(folder / "roto.####.tif")
    listed = error.message.partition("the folder holds ")[2]
    assert {"shot_####.png (1-2, 4", "plate.####.exr (1001-1040"} == set(listed.split("), ")[:2])
    assert "comp_v001.exr, comp_v002.exr" in listed
    assert "notes" not in listed
    assert error.hint == "Check the folder and the name."


def test_a_long_list_is_cut(tmp_path):
    for number in range(9):
        for frame in (1, 2):
            (tmp_path / f"{'abcdefghi'[number]}.000{frame}.exr").touch()
    message = said(tmp_path / "zzz.####.exr").message
    assert message.count("1-2") == 5
    assert message.endswith(", and more")


def test_a_range_that_names_other_frames_says_which_are_there(folder):
    assert said(folder / "plate.1-40####.exr").hint == "Name frames that are there: 1001-1040."


def test_a_folder_gets_the_pattern_inside(folder):
    error = said(folder)
    assert error.message.startswith(f"{folder} is a folder; the folder holds plate.####.exr (1001-1040), ")
    assert error.hint == f"Give the pattern of one of them, such as {folder}/plate.####.exr."
    for still in folder.glob("shot_*"):
        still.unlink()
    assert said(folder).hint == f"Did you mean {folder}/plate.####.exr?"
    assert said(folder / "empty").message == f"{folder / 'empty'} is a folder; the folder holds no pictures"


@pytest.mark.parametrize("name", ["notes.txt", "notes"])
def test_a_file_that_is_no_picture_is_refused_by_its_ending(folder, name):
    (folder / name).touch()
    error = said(folder / name)
    assert error.message.startswith(f"cannot read {folder / name}: ")
    assert error.message.endswith(" is not a format that is read")
    assert ".exr" in error.hint


def test_a_wrong_folder_is_found_out_where_it_begins(folder):
    error = said(folder.parent / "shot1" / "left" / "plate.####.exr")
    assert error.message.endswith(f"there is no folder {folder.parent / 'shot1'}")
    assert error.hint == f"Did you mean {folder}?"
    error = said(folder / "qqq" / "plate.####.exr")
    assert error.hint == f"{folder} is there; check what follows."


def test_a_wrong_folder_is_told_where_what_is_above_cannot_be_listed(folder, monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(folder), "iterdir", refuse)
    error = no_match(parse(str(folder / "gone" / "p.####.exr")))
    assert f"there is no folder {folder / 'gone'}" in error.message


@pytest.mark.parametrize("name", ["plate.braw", "a b.MPG", "A001.r3d", "take.1001.wmv"])
def test_a_movie_gets_the_line_that_extracts_its_frames(folder, name):
    (folder / name).touch()
    error = said(folder / name)
    assert "is a movie" in error.message
    words = shlex.split(error.hint.partition(": ")[2])
    assert words[:3] == ["ffmpeg", "-i", str(folder / name)]
    assert parse(words[-1]).digits == 4
    assert parse(words[-1]).suffix == ".png"


def test_several_movies_are_no_clip(folder):
    error = said(folder / "plate.####.mov")
    assert "names several movies" in error.message
    assert "plate.mov" in error.hint


def test_a_folder_with_a_movie_alone_says_so(tmp_path):
    (tmp_path / "plate.mov").touch()
    assert "holds a movie, plate.mov" in said(tmp_path / "plate.####.exr").message


def test_a_link_that_leads_nowhere_says_so(folder):
    (folder / "hero.exr").symlink_to("/nowhere/hero.exr")
    assert said(folder / "hero.exr").message == (
        f"{folder / 'hero.exr'} is a link to /nowhere/hero.exr, which does not exist"
    )


def stray(folder, **names):
    refuse_stray_frames({role: parse(str(folder / name)) for role, name in names.items()})


@pytest.mark.parametrize("frame", ["plate.1007.exr", "shot_0002.png"])
def test_a_single_frame_beside_a_sequence_gets_its_pattern(folder, frame):
    whole = "plate.####.exr" if "plate" in frame else "shot_####.png"
    with pytest.raises(BadInput) as raised:
        stray(folder, plate=frame, mask="roto.####.exr")
    assert f"the plate {folder / frame} is a single frame of {whole}" in raised.value.message
    assert f"Did you mean {folder / whole}?" in raised.value.hint


@pytest.mark.parametrize(
    "names",
    [
        {"plate": "plate.1007.exr", "mask": "shot_0001.png"},
        {"plate": "plate.####.exr", "mask": "shot_####.png"},
        {"plate": "plate.####.exr", "mask": "ref.jpg"},
        {"plate": "comp_v002.exr", "mask": "shot_####.png"},
        {"plate": "gone.1001.exr", "mask": "shot_####.png"},
    ],
)
def test_stills_versions_and_whole_sequences_are_left_alone(folder, names):
    stray(folder, **names)
