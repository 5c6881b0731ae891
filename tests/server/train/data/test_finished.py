import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.datasets.layouts import read_data
from videomama_server.media import frames
from videomama_server.train.data.drawn import Request
from videomama_server.train.data.finished import FinishedClips


@pytest.fixture
def clips(make_data):
    return read_data(make_data.plain("hair_wall")).clips


def drawn(clips, seed=0, wanted=Request(2, 32, 32)):  # noqa: B008 - frozen
    return FinishedClips(clips).draw(0, wanted, np.random.default_rng(seed))


def test_frames_have_the_wanted_size_and_belong_together(clips):
    shown = drawn(clips, wanted=Request(3, 64, 32))
    assert shown.plate.shape == (3, 32, 64, 3)
    assert shown.alpha.shape == (3, 32, 64)
    assert 0 <= shown.plate.min() <= shown.plate.max() <= 1
    inside, outside = shown.plate[shown.alpha > 0.99], shown.plate[shown.alpha < 0.01]
    assert inside.mean() > outside.mean() + 0.1  # the disc is brighter, and is where its alpha is


def test_equal_draws_are_equal_and_others_differ(clips):
    assert np.array_equal(drawn(clips, 1).plate, drawn(clips, 1).plate)
    assert len({drawn(clips, seed).plate.tobytes() for seed in range(6)}) > 4


def test_a_crop_keeps_the_shape_of_pixels(make_data, draw):
    """A disc stays round, whatever the aspect of the plate."""
    clips = read_data(make_data.plain("hair_wall")).clips
    for seed in range(20):
        alpha = drawn(clips, seed, Request(1, 64, 64)).alpha[0]
        rows, columns = (alpha > 0.5).any(axis=1), (alpha > 0.5).any(axis=0)
        whole = not (alpha[[0, -1]].any() or alpha[:, [0, -1]].any())
        if whole and rows.any():
            assert abs(rows.sum() - columns.sum()) <= 2
            return
    pytest.fail("no crop showed the whole disc")


def test_the_name_says_which_frames(clips):
    assert drawn(clips, wanted=Request(1, 32, 32)).name.startswith("hair_wall 100")


def test_clips_without_exact_alphas_cannot_be_trained_on(make_data):
    clips = read_data(make_data.footage()).clips
    with pytest.raises(BadInput, match="shot has no exact alphas"):
        FinishedClips(clips)


def test_masks_of_colours_are_no_alphas_to_train_on(make_data):
    with pytest.raises(BadInput, match="bear has masks of colours, not alphas"):
        FinishedClips(read_data(make_data.davis()).clips)


def test_an_alpha_of_another_size_is_named(clips):
    path = clips[0].truth[1001]
    for number in clips[0].numbers:
        frames.write_picture(clips[0].truth[number], np.zeros((8, 8), np.float32), ("A",), "float")
    with pytest.raises(BadInput, match=str(path.parent)):
        drawn(clips)
