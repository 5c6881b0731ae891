import os
import pickle
import tarfile

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.media import frames
from videomama_server.train.data import drawn
from videomama_server.train.data.shards import ShardPath, is_shard, on_disk, open_shard


@pytest.fixture
def make_tar(tmp_path):
    """`make_tar({name: bytes or a path})`: a tar file of these members."""

    def make(members, name="set-0001.tar", mode="w"):
        with tarfile.open(tmp_path / name, mode, format=tarfile.GNU_FORMAT) as tar:
            for member, content in members.items():
                source = tmp_path / "member"
                source.write_bytes(content)
                tar.add(source, member)
                source.unlink()
        return tmp_path / name

    return make


@pytest.fixture
def pictures(tmp_path):
    """The bytes of a plate and of an alpha."""
    plate = np.random.default_rng(1).random((16, 24, 3), np.float32)
    for name, pixels, channels in (("a.exr", plate, ("R", "G", "B")), ("b.exr", plate[..., 0], ("A",))):
        frames.write_picture(tmp_path / name, pixels, channels, "float")
    return [(tmp_path / name).read_bytes() for name in ("a.exr", "b.exr")]


def test_members_are_read_where_they_lie_and_as_their_files_are(make_tar, pictures, tmp_path):
    shard = open_shard(make_tar({"./clip/plate/0001.exr": pictures[0], "clip/truth/0001.exr": pictures[1]}))
    plate, alpha = shard / "clip" / "plate" / "0001.exr", shard / "clip/truth/0001.exr"
    assert np.array_equal(drawn.read_display(plate), drawn.read_display(tmp_path / "a.exr"))
    assert np.array_equal(drawn.read_alpha(alpha), drawn.read_alpha(tmp_path / "b.exr"))
    assert (drawn.has_alpha(plate), drawn.has_alpha(alpha)) == (False, True)
    assert not (tmp_path / "clip").exists()


def test_a_shard_lists_as_a_folder_does(make_tar):
    shard = open_shard(make_tar({"a/b/1.png": b"1", "a/2.png": b"22", "._a": b"of macOS", "3.png": b"333"}))
    assert sorted(path.name for path in shard.iterdir()) == ["3.png", "a"]
    assert sorted(path.name for path in (shard / "a").iterdir()) == ["2.png", "b"]
    kinds = [(path.is_dir(), path.is_file()) for path in (shard, shard / "a", shard / "3.png", shard / "none")]
    assert kinds == [(True, False), (True, False), (False, True), (False, False)]
    assert str(shard / "a" / "b").endswith("set-0001.tar/a/b".replace("/", os.sep))


def test_a_path_keeps_its_place_in_another_process(make_tar):
    path = pickle.loads(pickle.dumps(open_shard(make_tar({"a/1.png": b"one", "2.png": b"two"})) / "2.png"))  # noqa: S301
    with on_disk(path) as file:
        assert file.read_bytes() == b"two"
        assert file.suffix == ".png"
    assert not file.exists()


def test_a_picture_that_cannot_be_read_is_named_by_shard_and_member(make_tar):
    shard = open_shard(make_tar({"clip/plate/0001.png": b"no picture"}))
    with pytest.raises(BadInput) as caught:
        drawn.read_display(shard / "clip/plate/0001.png")
    assert str(shard / "clip/plate/0001.png") in caught.value.message
    assert "videomama-" not in str(caught.value)


@pytest.mark.parametrize(("kept", "last"), [(700, "1"), (1800, "1"), (2200, "2"), (2560, "2")])
def test_a_truncated_shard_is_named_with_the_member_where_it_ends(make_tar, kept, last):
    """Inside the first member, inside the header of the second, inside that one, and where the end mark is missing."""
    path = make_tar({"a/1.png": bytes(600), "a/2.png": bytes(400)})
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BadInput, match=rf"set-0001\.tar is cut off or damaged at or after a/{last}\.png"):
        open_shard(path)


def test_what_is_no_plain_tar_is_refused(make_tar, tmp_path):
    for path in (make_tar({"a.png": b"1"}, "packed.tar", "w:gz"), tmp_path / "text.tar", tmp_path / "empty.tar"):
        if not path.exists():
            path.write_text("no tar" if path.name == "text.tar" else "")
        with pytest.raises(BadInput, match=rf"{path.name} is not a plain tar file"):
            open_shard(path)
    with pytest.raises(BadInput, match=r"none\.tar is not there"):
        open_shard(tmp_path / "none.tar")


def test_a_member_that_is_there_twice_and_a_symbolic_link_are_named(make_tar, tmp_path):
    path = make_tar({"a.png": b"1"})
    with tarfile.open(path, "a") as tar:
        tar.add(__file__, "a.png")
    with pytest.raises(BadInput, match=r"has a\.png twice"):
        open_shard(path)
    (tmp_path / "link").symlink_to("a.png")
    with tarfile.open(tmp_path / "links.tar", "w") as tar:
        tar.add(tmp_path / "link", "b.png")
    with pytest.raises(BadInput, match=r"b\.png in .*links\.tar is a link"):
        open_shard(tmp_path / "links.tar")


def test_a_hard_link_is_the_member_that_it_is_to(tmp_path):
    (tmp_path / "1.png").write_bytes(b"one")
    (tmp_path / "2.png").hardlink_to(tmp_path / "1.png")
    with tarfile.open(tmp_path / "set.tar", "w") as tar:
        tar.add(tmp_path / "1.png", "1.png")
        tar.add(tmp_path / "2.png", "2.png")
        assert tar.getmember("2.png").islnk()
    with on_disk(open_shard(tmp_path / "set.tar") / "2.png") as file:
        assert file.read_bytes() == b"one"


def test_a_shard_that_is_changed_while_it_is_read_is_told(make_tar):
    shard = open_shard(make_tar({"a.png": b"1"}))
    make_tar({"a.png": b"2", "b.png": b"3"})
    with (
        pytest.raises(BadInput, match=r"set-0001\.tar was changed while a\.png in it was needed"),
        on_disk(shard / "a.png"),
    ):
        pass


def test_what_is_a_shard_is_told_by_its_ending(make_tar, tmp_path):
    path = make_tar({"a.png": b"1"})
    (tmp_path / "folder.tar").mkdir()
    assert is_shard(path)
    assert is_shard(open_shard(path))
    assert isinstance(open_shard(path), ShardPath)
    assert not is_shard(tmp_path / "folder.tar")
