import numpy as np
import pytest
import torch
from videomama_client.errors import BadInput
from videomama_server.train.data.drawn import Request
from videomama_server.train.data.training_set import MaskMix, TrainingSet, Turns

WANTED = Request(2, 32, 32)
MIXED = MaskMix((("mixed", 1.0),))


@pytest.fixture
def make_set(discs):
    def make(*counts, masks=MIXED, seed=1, wanted=WANTED):
        return TrainingSet([discs(count) for count in counts or (3,)], wanted, masks, seed)

    return make


def test_a_sample_is_scaled_as_the_network_is_shown_it(make_set):
    sample = make_set()[0, 0]
    assert sample.plate.shape == (2, 3, 32, 32)
    assert sample.alpha.shape == sample.mask.shape == (2, 1, 32, 32)
    assert (sample.alpha.min().item(), sample.alpha.max().item()) == (-1, 1)
    assert set(sample.mask.unique().tolist()) == {-1, 1}
    assert sample.name == "disc 0, epoch 0"


def test_masks_and_clips_are_others_in_every_epoch_and_equal_when_it_comes_again(make_set):
    """The published training draws by the sample's index alone: it sees the same masks in every epoch."""
    first, second, again = make_set()[0, 1], make_set()[1, 1], make_set()[0, 1]
    assert torch.equal(first.mask, again.mask)
    assert torch.equal(first.plate, again.plate)
    assert first.seed == again.seed
    assert not torch.equal(first.plate, second.plate)
    assert first.seed != second.seed
    masks = {make_set()[epoch, 0].mask.numpy().tobytes() for epoch in range(6)}
    assert len(masks) > 3


def test_a_mask_is_as_bad_as_was_asked_for(make_set):
    exact, box = (make_set(masks=MaskMix(((name, 1.0),)))[0, 0] for name in ("exact", "box"))
    assert torch.equal(exact.mask, torch.where(exact.alpha >= 0, 1.0, -1.0))
    assert (box.mask > 0).sum() > (exact.mask > 0).sum()


def test_each_kind_of_mask_comes_in_its_share():
    mix = MaskMix((("box", 3.0), ("exact+temporal", 1.0)))
    drawn = [mix.draw(np.random.default_rng(seed)) for seed in range(400)]
    assert 0.68 < np.mean([one.shape == "box" for one in drawn]) < 0.82
    assert {one.hits for one in drawn} == {(), ("temporal",)}
    assert len({one.seed for one in drawn}) > 390


@pytest.mark.parametrize("shares", [(), (("box", -1.0),), (("box", 0.0),)])
def test_shares_that_leave_nothing_to_draw_are_refused(shares):
    with pytest.raises(BadInput, match="the shares of the masks"):
        MaskMix(shares)


def test_sources_follow_each_other(make_set):
    samples = make_set(2, 1)
    assert len(samples) == 3
    assert [samples[0, index].name.split(",")[0] for index in range(3)] == ["disc 0", "disc 1", "disc 0"]
    with pytest.raises(IndexError):
        samples[0, 3]


def test_nothing_to_train_on_is_said():
    with pytest.raises(BadInput, match="no clips to train on"):
        TrainingSet([], WANTED, MIXED, 1)


def test_an_epoch_has_every_sample_once_in_an_order_of_its_own(make_set):
    samples = make_set(9)
    orders = [samples.order(epoch) for epoch in range(3)]
    assert all(sorted(order) == list(range(9)) for order in orders)
    assert orders[0] != orders[1] != orders[2]
    assert orders[0] == make_set(9).order(0) != make_set(9, seed=2).order(0)


def test_processes_share_the_batches_of_one(make_set):
    samples = make_set(5)
    alone = list(Turns(samples, 4, 1).of_steps(0, 3))
    shared = [list(Turns(samples, 4, 1, rank, 2).of_steps(0, 3)) for rank in (0, 1)]
    assert len(alone) == 12
    for step in range(3):
        both = shared[0][2 * step : 2 * step + 2] + shared[1][2 * step : 2 * step + 2]
        assert sorted(both) == sorted(alone[4 * step : 4 * step + 4])
    assert sorted({place[0] for (place,) in alone}) == [0, 1, 2]


def test_steps_after_a_resume_go_on_where_it_stopped(make_set):
    turns = Turns(make_set(5), 4, 2)
    assert list(turns.of_steps(0, 2)) + list(turns.of_steps(2, 4)) == list(turns.of_steps(0, 4))
    assert turns.passes == 2


def test_a_batch_that_cannot_be_divided_is_refused(make_set):
    with pytest.raises(BadInput, match="a batch of 3 cannot be divided among 2 processes by 1"):
        Turns(make_set(), 3, 1, 0, 2)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Turns) == {"rank": 0, "world": 1}
