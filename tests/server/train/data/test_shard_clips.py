import tarfile
from itertools import islice

import numpy as np
import pytest
from torch.utils.data import DataLoader
from videomama_client.errors import BadInput
from videomama_server.datasets.layouts import read_data
from videomama_server.media import frames
from videomama_server.train.data.drawn import Request
from videomama_server.train.data.finished import FinishedClips
from videomama_server.train.data.shard_clips import clips_in, places
from videomama_server.train.data.shards import ShardPath, open_shard
from videomama_server.train.data.training_set import MaskMix, TrainingSet, Turns
from videomama_server.train.samples import stacked

GREY = np.full((16, 24, 3), 0.5, np.float32)


@pytest.fixture
def pack(tmp_path):
    """`pack(folder, name="set.tar")`: a tar file of what is in a folder."""

    def go(folder, name="set.tar", leaving=""):
        with tarfile.open(tmp_path / name, "w") as tar:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                if path.name != leaving:
                    tar.add(path, path.relative_to(folder).as_posix())
        return tmp_path / name

    return go


@pytest.fixture
def labelled(tmp_path, draw):
    """A folder as `videomama label` writes it, of two clips."""
    for clip in ("bear_000", "two_001"):
        for number in (7, 8, 9):
            for role, pixels, channels in (("plate", GREY, ("R", "G", "B")), ("truth", GREY[..., 0], ("A",))):
                path = tmp_path / "labels" / clip / role / f"{role}.{number:04d}.exr"
                path.parent.mkdir(parents=True, exist_ok=True)
                frames.write_picture(path, pixels, channels)
        (tmp_path / "labels" / clip / "label.json").write_text("{}")
    return tmp_path / "labels"


def test_labels_in_a_shard_are_clips(pack, labelled):
    first, second = clips_in(open_shard(pack(labelled)))
    assert (first.name, second.name) == ("set.tar/bear_000", "set.tar/two_001")
    assert first.numbers == [7, 8, 9]
    assert first.truth[8].name == "truth.0008.exr"


def test_clips_of_videomatte_and_of_our_generator_are_found_too(pack, make_data):
    for number, folder in enumerate((make_data.rvm(), make_data.plain("hair_wall"))):
        (clip,) = clips_in(open_shard(pack(folder, f"{number}.tar")))
        assert clip.plate.keys() == clip.truth.keys()
        assert len(clip.numbers) == len(read_data(folder).clips[0].numbers)


def test_stills_belong_together_by_their_keys(pack, tmp_path):
    (tmp_path / "keys").mkdir()
    for key in ("000123", "000124.v2"):
        frames.write_picture(tmp_path / "keys" / f"{key}.plate.png", GREY, dtype="uint8")
        frames.write_picture(tmp_path / "keys" / f"{key}.truth.png", GREY[..., 0], ("Y",), "uint8")
    clips = clips_in(open_shard(pack(tmp_path / "keys")))
    assert [clip.name for clip in clips] == ["set.tar/000123", "set.tar/000124.v2"]
    drawn = FinishedClips(clips).draw(1, Request(3, 8, 8), np.random.default_rng(0))
    assert drawn.plate.shape == (3, 8, 8, 3)


@pytest.mark.parametrize(
    ("leaving", "said"),
    [
        ("truth.0008.exr", r"set\.tar.bear_000.plate.plate\.0008\.exr has no alpha"),
        ("plate.0009.exr", r"set\.tar.bear_000.truth.truth\.0009\.exr has no plate"),
    ],
)
def test_a_missing_member_is_named(pack, labelled, leaving, said):
    with pytest.raises(BadInput, match=said):
        clips_in(open_shard(pack(labelled, leaving=leaving)))


def test_a_gap_and_a_shard_without_clips_are_told(pack, labelled, tmp_path):
    for role in ("plate", "truth"):
        (labelled / "two_001" / role / f"{role}.0008.exr").unlink()
    with pytest.raises(BadInput, match=r"set\.tar.two_001: missing: frames 8"):
        clips_in(open_shard(pack(labelled)))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "readme.txt").write_text("no pictures")
    with pytest.raises(BadInput, match=r"set\.tar has no plates with alphas"):
        clips_in(open_shard(pack(tmp_path / "other")))


def test_folders_patterns_and_braces_stand_for_shards(pack, labelled, tmp_path):
    sets = tmp_path / "sets"
    sets.mkdir()
    for number in (8, 9, 10):
        pack(labelled, f"sets/part-{number:03d}.tar")
    names = ["part-008.tar", "part-009.tar", "part-010.tar"]
    for asked in (sets, sets / "part-*.tar", sets / "part-{008..010}.tar", sets / "part-0{08,09,10}.tar"):
        found = places([asked])
        assert [one.name for one in found] == names
        assert all(isinstance(one, ShardPath) for one in found)
    assert places([labelled, sets / "part-009.tar"]) == [labelled, sets / "part-009.tar"]
    with pytest.raises(BadInput, match=r"part-011\.tar is not there"):
        places([sets / "part-{009..011}.tar"])
    with pytest.raises(BadInput, match=r"no shard is called .*other-\*\.tar"):
        places([sets / "other-*.tar"])
    (sets / "more").mkdir()
    with pytest.raises(BadInput, match="holds shards and the folder more"):
        places([sets])


def samples(clips, workers=0, steps=(0, 3)):
    source = TrainingSet([FinishedClips(clips)], Request(2, 64, 32), MaskMix((("mixed", 1.0),)), seed=3)
    turns = Turns(source, batch=2, micro=1)
    loader = DataLoader(
        source, batch_sampler=list(turns.of_steps(*steps)), num_workers=workers, collate_fn=stacked,
        multiprocessing_context="spawn" if workers else None,
    )  # fmt: skip
    return [(batch.seeds, batch.plate.numpy(), batch.alpha.numpy(), batch.mask.numpy()) for batch in loader]


def assert_equal(one, other):
    assert len(one) == len(other) > 0
    for left, right in zip(one, other, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def test_samples_of_shards_are_those_of_the_folders_and_a_resumed_run_gets_the_rest(pack, make_data):
    for name in ("fur_wall", "hair_wall"):
        folder = make_data.plain(name)
    clips = clips_in(open_shard(pack(folder)))
    whole = samples(clips)
    assert_equal(whole, samples(read_data(folder).clips))
    assert_equal(list(islice(whole, 2, None)), samples(clips, steps=(1, 3)))


@pytest.mark.slow
def test_samples_of_shards_are_equal_for_any_number_of_workers(pack, make_data):
    clips = clips_in(open_shard(pack(make_data.plain("fur_wall"))))
    assert_equal(samples(clips), samples(clips, workers=2))
