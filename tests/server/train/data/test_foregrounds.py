import tarfile

import cv2
import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.media import frames
from videomama_server.train.data.foregrounds import find_backgrounds, find_foregrounds
from videomama_server.train.data.shards import open_shard

GREY = np.full((16, 24, 3), 0.5, np.float32)
ALPHA = np.linspace(0, 1, 384, dtype=np.float32).reshape(16, 24)


def put(path, pixels=GREY):
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ("R", "G", "B") if pixels.ndim == 3 else ("Y",)
    frames.write_picture(path, pixels, names, "uint16")


def put_pair(colour, alpha):
    put(colour)
    put(alpha, ALPHA)


@pytest.mark.parametrize("pair", [("original", "mask"), ("fg", "alpha"), ("image", "alpha"), ("foreground", "alpha")])
def test_pictures_in_a_pair_of_folders_are_stills(tmp_path, pair):
    for name in ("a", "b"):
        put_pair(tmp_path / "train" / pair[0] / f"{name}.png", tmp_path / "train" / pair[1] / f"{name}.png")
    found = find_foregrounds(tmp_path)
    assert [len(one.colour) for one in found] == [1, 1]
    assert found[0].name == f"train/{pair[0]}/a.png"


def test_folders_of_frames_in_fgr_and_pha_are_clips(tmp_path):
    for clip in ("0001", "0002"):
        for frame in range(3):
            put_pair(tmp_path / "fgr" / clip / f"{frame:05}.png", tmp_path / "pha" / clip / f"{frame:05}.png")
    assert [len(one.colour) for one in find_foregrounds(tmp_path)] == [3, 3]


def test_clips_with_folders_of_their_own_for_fgr_and_pha_are_clips_too(tmp_path):
    for clip in ("0001", "0002"):
        for frame in range(3):
            put_pair(tmp_path / clip / "fgr" / f"{frame}.png", tmp_path / clip / "pha" / f"{frame}.png")
    assert {one.name: len(one.colour) for one in find_foregrounds(tmp_path)} == {"0001": 3, "0002": 3}


def test_colour_and_alpha_may_differ_in_their_format_but_not_in_their_names(tmp_path):
    put_pair(tmp_path / "fg" / "a.tif", tmp_path / "alpha" / "a.png")
    assert find_foregrounds(tmp_path)[0].alpha[0].name == "a.png"
    put(tmp_path / "fg" / "b.png")
    with pytest.raises(BadInput, match=r"b\.png has no alpha"):
        find_foregrounds(tmp_path)


def test_an_exr_with_an_alpha_channel_is_divided_by_it(tmp_path):
    (tmp_path / "clip").mkdir()
    multiplied = np.dstack([GREY * ALPHA[..., None], ALPHA])
    frames.write_picture(tmp_path / "clip" / "a.1.exr", multiplied, ("R", "G", "B", "A"), "float")
    (one,) = find_foregrounds(tmp_path)
    colour, alpha = one.read(0)
    assert np.allclose(alpha, ALPHA, atol=1e-6)
    assert np.allclose(colour[ALPHA > 0.1], 0.5, atol=0.005)


def test_a_png_with_an_alpha_channel_is_not(tmp_path):
    (tmp_path / "clip").mkdir()
    pixels = np.round(np.dstack([GREY, ALPHA]) * 65535).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "clip" / "a.1.png"), pixels)
    colour, alpha = find_foregrounds(tmp_path)[0].read(0)
    assert np.allclose(alpha, ALPHA, atol=1e-3)
    assert np.allclose(colour, 0.214, atol=0.002)  # 0.5 in the file, in linear light


def test_pictures_without_any_alpha_are_named(tmp_path):
    put(tmp_path / "clip" / "a.png")
    with pytest.raises(BadInput, match=r"a\.png has no alpha channel"):
        find_foregrounds(tmp_path)


def test_an_alpha_of_another_size_is_named(tmp_path):
    put(tmp_path / "fg" / "a.png")
    put(tmp_path / "alpha" / "a.png", np.hstack([ALPHA, ALPHA]))
    with pytest.raises(BadInput, match="differ in size"):
        find_foregrounds(tmp_path)[0].read(0)


def test_a_folder_without_foregrounds_says_what_is_expected(tmp_path):
    with pytest.raises(BadInput, match="no foregrounds") as caught:
        find_foregrounds(tmp_path)
    assert "fgr/pha" in caught.value.hint


def test_backgrounds_are_folders_of_pictures_or_of_frames(tmp_path):
    put(tmp_path / "one.png")
    for frame in range(3):
        put(tmp_path / "clip" / f"{frame}.png")
    assert sorted(map(len, find_backgrounds(tmp_path))) == [1, 3]
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="no backgrounds"):
        find_backgrounds(tmp_path / "empty")


def test_pictures_that_are_not_numbered_or_numbered_with_gaps_are_stills(tmp_path):
    for name in ("h_1a2b", "h_77", "h_1031", "clip.0001", "clip.0002"):
        put(tmp_path / f"{name}.png")
    assert sorted(map(len, find_backgrounds(tmp_path))) == [1, 1, 1, 2]


@pytest.fixture
def shard(tmp_path):
    """`shard(folder)`: what is in a folder, as an opened shard."""

    def make(folder):
        with tarfile.open(tmp_path / "set-07.tar", "w") as tar:
            tar.add(folder, ".")
        return open_shard(tmp_path / "set-07.tar")

    return make


def test_the_layouts_of_folders_are_found_in_shards(tmp_path, shard):
    for frame in range(3):
        put_pair(tmp_path / "set" / "fgr" / "01" / f"{frame}.png", tmp_path / "set" / "pha" / "01" / f"{frame}.png")
    (found,) = find_foregrounds(shard(tmp_path / "set"))
    assert found.name == "set-07.tar/fgr/01"
    colour, alpha = found.read(2)
    assert np.allclose(alpha, ALPHA, atol=1e-4)
    assert colour.shape == (*ALPHA.shape, 3)
    for clip in find_backgrounds(shard(tmp_path / "set")):
        assert len(clip) == 3


@pytest.mark.parametrize(
    "parts", [(".fg.jpg", ".alpha.png"), (".jpg", ".png"), (".jpg", ".exr"), (".fgr.png", ".pha.png")]
)
def test_pairs_that_share_a_key_are_stills(tmp_path, parts, shard):
    for key in ("000123", "000124"):
        (tmp_path / "set").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "set" / f"{key}{parts[0]}"), np.full((*ALPHA.shape, 3), 128, np.uint8))
        frames.write_picture(
            tmp_path / "set" / f"{key}{parts[1]}", ALPHA, ("Y",), "half" if "exr" in parts[1] else "uint16"
        )
    for place in (tmp_path / "set", shard(tmp_path / "set")):
        found = find_foregrounds(place)
        assert [len(one.colour) for one in found] == [1, 1]
        assert found[0].name.endswith(f"000123{parts[0]}")
        assert np.allclose(found[0].read(0)[1], ALPHA, atol=1e-3)


def test_a_key_without_its_alpha_is_named_with_its_shard(tmp_path, shard):
    put_pair(tmp_path / "set" / "1.fg.png", tmp_path / "set" / "1.alpha.png")
    put(tmp_path / "set" / "2.fg.png")
    with pytest.raises(BadInput, match=r"set-07\.tar has no pair of foreground and alpha for 2, only 2\.fg\.png"):
        find_foregrounds(shard(tmp_path / "set"))


def test_pictures_in_no_folder_of_a_shard_are_stills(tmp_path, shard):
    for number in range(2):
        path = tmp_path / "set" / f"{number:06d}.png"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), np.round(np.dstack([GREY, ALPHA]) * 255).astype(np.uint8))
    opened = shard(tmp_path / "set")
    assert [len(one.colour) for one in find_foregrounds(opened)] == [1, 1]
    assert [len(clip) for clip in find_backgrounds(opened)] == [1, 1]
