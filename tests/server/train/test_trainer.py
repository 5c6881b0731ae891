import os
import socket
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import multiprocessing, nn
from videomama_client.errors import BadInput
from videomama_server.datasets.layouts import read_data
from videomama_server.train.data.finished import FinishedClips
from videomama_server.train.processes import joined
from videomama_server.train.samples import Batch
from videomama_server.train.trainer import Means, Trained


def weights(trainer):
    return torch.cat([parameter.detach().flatten() for parameter in trainer.learning()])


class Line(Trained):
    """A network of one layer: what a trainer does with gradients is seen plainly, and quickly."""

    def __init__(self, broken_at=None):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Conv2d(3, 1, 3, padding=1)
        self.learners = [self.layer]
        self.seen: list[Batch] = []
        self.broken_at = broken_at

    def forward(self, batch):
        self.seen.append(batch)
        pred = self.layer(batch.plate.flatten(0, 1))
        loss = (pred - batch.alpha.flatten(0, 1)).square().mean()
        return {"square": loss, "total": loss * float("nan") if len(self.seen) == self.broken_at else loss}


def trained(trainer, steps=3):
    said = []
    trainer.run(steps, lambda step, losses: said.append((step, losses["total"])))
    return said


def test_steps_are_counted_and_their_losses_told(make_trainer):
    said = trained(make_trainer(Line()))
    assert [step for step, _ in said] == [1, 2, 3]
    assert said[0][1] > said[2][1] > 0


def test_small_batches_that_are_added_up_are_one_large_batch(make_trainer):
    large, added = make_trainer(Line(), batch=4, micro=4, ema=0.0), make_trainer(Line(), batch=4, micro=1, ema=0.0)
    losses = [trained(trainer) for trainer in (large, added)]
    assert torch.allclose(weights(large), weights(added), rtol=0, atol=1e-6)
    assert np.allclose(*losses, atol=1e-6)


@pytest.mark.slow
def test_small_batches_of_the_network_itself_are_one_large_batch(make_trainer):
    large, added = (make_trainer(batch=2, micro=micro, ema=0.0) for micro in (2, 1))
    losses = [trained(trainer, 1)[0][1] for trainer in (large, added)]
    one, other = (torch.cat([parameter.grad.flatten() for parameter in each.learning()]) for each in (large, added))
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert one.norm() > 0
    # Float32 sums in another order, by the processor: where a difference is next to 0, the slope of L1 changes sign.
    assert (one - other).norm() < 2e-3 * one.norm()


def test_what_is_frozen_stays(make_trainer):
    objective = Line()
    objective.layer.bias.requires_grad_(False)
    before = objective.layer.bias.clone()
    trained(make_trainer(objective))
    assert torch.equal(objective.layer.bias, before)


def test_gradients_are_cut_to_the_recipes_norm(make_trainer):
    trainer = make_trainer(Line(), clip_norm=0.001)
    trained(trainer, 1)
    norm = torch.cat([parameter.grad.flatten() for parameter in trainer.learning()]).norm()
    assert norm.item() == pytest.approx(0.001, rel=1e-3)


def test_averaged_weights_follow_at_the_recipes_pace(make_trainer):
    trainer = make_trainer(Line(), ema=0.9)
    first = weights(trainer).clone()
    trained(trainer, 1)
    assert trainer.averaged.cur_decay_value == 0  # the first step is taken whole
    one = weights(trainer).clone()
    trainer.run(2, lambda *_: None)
    decay = trainer.averaged.cur_decay_value
    shadow = torch.cat([values.flatten() for values in trainer.averaged.shadow_params])
    assert 0 < decay <= 0.9
    assert torch.allclose(shadow, decay * one + (1 - decay) * weights(trainer), atol=1e-7)
    assert not torch.equal(first, one)


def test_a_run_without_averages_keeps_none(make_trainer):
    assert make_trainer(Line(), ema=0.0).averaged is None


def test_a_loss_that_is_no_number_stops_before_the_weights_change_and_names_the_clips(make_trainer):
    objective = Line(broken_at=3)
    trainer = make_trainer(objective, batch=1)
    with pytest.raises(BadInput, match="step 3: the loss total is not a number, on disc") as caught:
        trained(trainer, 5)
    assert objective.seen[-1].names[0] in caught.value.message
    assert trainer.step == 2
    assert torch.isfinite(weights(trainer)).all()


@pytest.mark.slow
def test_samples_are_the_same_for_any_number_of_workers(make_trainer, make_data):
    """Workers are processes of their own: what they make must not depend on who makes it."""
    clips = FinishedClips(read_data(make_data.plain("hair_wall")).clips)
    seen = []
    for workers in (0, 2):
        objective = Line()
        trained(make_trainer(objective, means=Means(workers=workers), source=clips), 3)
        seen.append(objective.seen)
    for one, other in zip(*seen, strict=True):
        assert one.names == other.names
        assert torch.equal(one.mask, other.mask)
        assert torch.equal(one.plate, other.plate)


def _half(rank, port, sharded, folder, make):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), RANK=str(rank), WORLD_SIZE="2")
    torch.set_num_threads(1)
    with joined("cpu") as processes:
        trainer = make(processes, Means(sharded=sharded))
        losses = [loss for _, loss in trained(trainer, 2)]
        values = [p.full_tensor() if sharded else p for p in trainer.learning()]
        torch.save((losses, torch.cat([value.detach().flatten() for value in values])), folder / f"{rank}.pt")


@pytest.mark.slow
@pytest.mark.parametrize("sharded", [False, True])
def test_two_processes_are_as_one(make_trainer, tmp_path, sharded):
    alone = make_trainer(Line(), batch=4, ema=0.0)
    losses = [loss for _, loss in trained(alone, 2)]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def make(processes, means):
        return make_trainer(Line(), processes=processes, means=means, batch=4, ema=0.0)

    context = multiprocessing.get_context("fork")
    both = [context.Process(target=_half, args=(rank, port, sharded, tmp_path, make)) for rank in (0, 1)]
    for process in both:
        process.start()
    for process in both:
        process.join(240)
        assert process.exitcode == 0
    for rank in (0, 1):
        own, values = torch.load(tmp_path / f"{rank}.pt")
        assert np.allclose(own, losses, atol=1e-6)
        assert torch.allclose(values, weights(alone), rtol=0, atol=1e-6)


@pytest.mark.slow
def test_a_hundred_steps_halve_the_loss_on_a_fixed_batch(make_trainer, make_objective, monkeypatch):
    """What the random decoder can show at all is the truth here; another network than the one that learns made it."""
    objective = make_objective()
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(8))
    with torch.no_grad():
        shown = objective.vae.decode(latents, num_frames=1).sample.clamp(-1, 1).mean(dim=1, keepdim=True)[:, None]
    trainer = make_trainer(objective, batch=1, ema=0.0, learning_rate=2e-3)
    monkeypatch.setattr(type(trainer.turns), "_place", lambda *_: (0, 0))
    forward = objective.forward
    monkeypatch.setattr(objective, "forward", lambda batch: forward(replace(batch, alpha=shown)))
    said = trained(trainer, 100)
    assert said[-1][1] < said[0][1] / 2
