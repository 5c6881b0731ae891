from dataclasses import replace

import pytest
import torch
from videomama_server.train import losses
from videomama_server.train.losses import Weights
from videomama_server.train.networks import trained_names
from videomama_server.train.objective import feature_block, feature_channels
from videomama_server.train.samples import noise_of


def learnt(objective):
    """Return the names of the UNet's parameters that a step would change."""
    return {
        name
        for name, parameter in objective.unet.named_parameters()
        if parameter.grad is not None and parameter.grad.any()
    }


@pytest.mark.parametrize(("stage", "frames"), [("spatial", 1), ("temporal", 3)])
def test_gradients_reach_exactly_what_the_stage_trains_through_the_frozen_decoder(
    make_objective, make_batch, stage, frames
):
    objective = make_objective(stage).train()
    with torch.no_grad():  # zeros at the start: what follows them would get no gradient of theirs
        objective.unet.conv_in.weight[:, 8:] = 0.01
    objective(make_batch(frames=frames))["total"].backward()
    assert learnt(objective) == set(trained_names(objective.unet, stage))
    assert all(parameter.grad is None for parameter in objective.vae.parameters())


def test_the_mask_learns_from_the_first_step_on(make_objective, make_batch):
    objective = make_objective().train()
    objective(make_batch())["total"].backward()
    assert objective.unet.conv_in.weight.grad[:, 8:].any()


def test_before_the_first_step_the_alpha_does_not_depend_on_the_mask(make_objective, make_batch):
    objective, batch = make_objective().eval(), make_batch(frames=2)
    with torch.no_grad():
        assert torch.equal(objective.predict(batch), objective.predict(replace(batch, mask=-batch.mask)))


def test_the_unet_is_shown_noise_plate_and_mask_in_the_published_order(make_objective, make_batch):
    objective, batch = make_objective().eval(), make_batch(count=2, frames=2)
    inputs = objective.inputs(batch)
    assert inputs.shape == (2, 2, 12, 8, 8)
    assert torch.equal(inputs[:, :, :4], noise_of(batch.seeds, 0, (2, 4, 8, 8)))
    with torch.no_grad():
        for first, pictures in ((4, batch.plate), (8, batch.mask.expand(-1, -1, 3, -1, -1))):
            posterior = objective.vae.encode(pictures.flatten(0, 1)).latent_dist
            off = (inputs[:, :, first : first + 4].flatten(0, 1) - posterior.mean) / posterior.std
            assert 0.5 < off.std().item() < 1.5  # a draw from the posterior, and not scaled


def test_the_unet_is_asked_at_the_published_time_and_context(make_objective, make_batch, monkeypatch):
    objective = make_objective().eval()
    asked = {}

    def forward(sample, timestep, context, ids, return_dict):
        asked.update(timestep=timestep, context=context, ids=ids)
        return (sample[:, :, :4],)

    monkeypatch.setattr(objective.unet, "forward", forward)
    objective.unet_pass(torch.randn(2, 1, 12, 8, 8))
    assert asked["timestep"] == 1
    assert asked["context"].shape == (2, 1, 16)
    assert not asked["context"].any()
    assert asked["ids"].tolist() == [[7, 127, 0]] * 2


def test_the_alpha_is_the_mean_of_channels_that_are_cut_first(make_objective, make_batch, monkeypatch):
    objective, batch = make_objective().eval(), make_batch()
    decoded = torch.tensor([3.0, 0.5, -0.5]).view(1, 3, 1, 1).expand(1, 3, 64, 64)
    scaled = {}

    def decode(latents, num_frames):
        scaled.update(latents=latents, num_frames=num_frames)
        return type("Decoded", (), {"sample": decoded})

    monkeypatch.setattr(objective.vae, "decode", decode)
    monkeypatch.setattr(objective, "unet_pass", lambda _: torch.full((1, 1, 4, 8, 8), 0.18215))
    alpha = objective.predict(batch)
    assert alpha.shape == (1, 1, 1, 64, 64)
    assert torch.allclose(alpha, torch.tensor(1 / 3))
    assert torch.allclose(scaled["latents"], torch.tensor(1.0))


def test_the_total_is_the_weighted_sum_with_the_alignment_once(make_objective, make_batch):
    """The published training adds the alignment twice."""
    assert Weights() == Weights(l1=1.0, laplacian=15.0, alignment=1.0)
    found = make_objective(aligned=True)(make_batch())
    expected = found["l1"] + 15 * found["laplacian"] + found["alignment"]
    assert found["total"].item() == pytest.approx(expected.item(), rel=1e-6)


def test_losses_are_of_the_alpha_against_the_truth(make_objective, make_batch):
    objective, batch = make_objective().eval(), make_batch(count=2, frames=2)
    with torch.no_grad():
        alpha, found = objective.predict(batch), objective(batch)
    assert found["l1"].item() == pytest.approx((alpha - batch.alpha).abs().mean().item(), rel=1e-6)
    expected = losses.laplacian(alpha.flatten(0, 1), batch.alpha.flatten(0, 1)).item()
    assert found["laplacian"].item() == pytest.approx(expected, rel=1e-5)


def test_all_losses_are_float32_under_autocast(make_objective, make_batch):
    objective = make_objective(aligned=True)
    with torch.autocast("cpu", torch.bfloat16):
        found = objective(make_batch())
    assert {value.dtype for value in found.values()} == {torch.float32}


def test_features_are_those_of_the_second_level_on_the_way_up(make_objective):
    unet = make_objective().unet
    assert feature_block(unet) is unet.up_blocks[1].resnets[0]
    assert feature_channels(unet) == 32
    import diffusers

    with torch.device("meta"):
        published = diffusers.UNetSpatioTemporalConditionModel(in_channels=12, num_attention_heads=(5, 10, 20, 20))
    assert feature_channels(published) == 1280


def test_the_vae_stays_out_of_training(make_objective):
    objective = make_objective().train()
    assert objective.unet.training
    assert not any(module.training for module in objective.vae.modules())
