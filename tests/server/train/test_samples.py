import torch
from videomama_server.train.samples import Sample, chance_of, noise_of, stacked


def test_noise_belongs_to_the_sample_and_not_to_its_place_in_a_batch():
    together, alone = noise_of([7, 9], 1, (2, 4, 8)), noise_of([9], 1, (2, 4, 8))
    assert together.shape == (2, 2, 4, 8)
    assert torch.equal(together[1], alone[0])
    assert not torch.equal(together[0], together[1])
    assert abs(noise_of([1], 0, (1000,)).std().item() - 1) < 0.1


def test_noise_for_different_purposes_differs():
    assert not torch.equal(noise_of([7], 1, (8,)), noise_of([7], 2, (8,)))


def test_chances_belong_to_the_sample_and_are_spread_evenly():
    found = chance_of(range(200), 3)
    assert found[7:9] == chance_of([7, 8], 3) != chance_of([7, 8], 2)
    assert 0.45 < sum(found) / 200 < 0.55
    assert 0 <= min(found) < 0.1
    assert 0.9 < max(found) < 1


def test_samples_become_a_batch_with_their_names_and_seeds():
    one, other = (Sample(f"clip {n}", n, torch.full((2, 3, 4, 4), n), torch.zeros(2, 1, 4, 4), torch.ones(2, 1, 4, 4))
                  for n in (1.0, 2.0))  # fmt: skip
    batch = stacked([one, other])
    assert (batch.names, batch.seeds) == (("clip 1.0", "clip 2.0"), (1.0, 2.0))
    assert batch.plate.shape == (2, 2, 3, 4, 4)
    assert batch.plate[1].unique().item() == 2
    moved = batch.to(torch.device("meta"))
    assert {part.device.type for part in (moved.plate, moved.alpha, moved.mask)} == {"meta"}
    assert moved.names == batch.names
