import pytest
import torch
from safetensors.torch import load_file
from videomama_client.errors import BadInput
from videomama_server.train import checkpoints, networks
from videomama_server.train.adapters import adapt, merged
from videomama_server.train.objective import UNET_FILE


@pytest.fixture
def taught(make_objective):
    """An objective whose UNet has learnt to see masks."""
    objective = make_objective()
    with torch.no_grad():
        objective.unet.conv_in.weight[:, 8:] = 0.01
    return objective


@pytest.mark.parametrize("stage", ["spatial", "temporal"])
def test_only_adapters_of_the_stages_own_attention_learn(taught, stage):
    names = adapt(taught.unet, stage, 4)
    assert [name for name, values in taught.unet.named_parameters() if values.requires_grad] == names
    assert names
    assert all(("temporal" in name) == (stage == "temporal") for name in names)
    assert all("attn1" in name or ".ff.net." in name for name in names)
    assert all(4 in parameter.shape for name, parameter in taught.unet.named_parameters() if name in names)


def test_before_the_first_step_nothing_has_changed(taught):
    inputs = torch.randn(1, 2, 12, 8, 8, generator=torch.Generator().manual_seed(0))
    taught.unet.requires_grad_(False)  # as `adapt` does: torch multiplies in another order for weights that learn
    with torch.no_grad():
        before = taught.unet_pass(inputs)
        adapt(taught.unet, "spatial", 4)
        assert torch.equal(taught.unet_pass(inputs), before)


def test_merged_weights_compute_what_weights_and_adapters_do(taught, make_objective):
    learning = set(adapt(taught.unet, "temporal", 4))
    for name, values in taught.unet.named_parameters():
        if name in learning:
            torch.nn.init.normal_(values, std=0.3)
    plain = make_objective()
    plain.unet.load_state_dict(merged(taught.unet.state_dict()))  # strict: all names are the published ones
    inputs = torch.randn(1, 2, 12, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected, found = taught.eval().unet_pass(inputs), plain.eval().unet_pass(inputs)
    assert torch.allclose(found, expected, atol=1e-5)


def test_weights_without_adapters_are_as_they_are(taught):
    weights = taught.unet.state_dict()
    assert merged(weights) == weights


def test_a_checkpoint_has_them_added_and_resumes_with_them_apart(taught, make_trainer, make_objective, tmp_path):
    adapt(taught.unet, "spatial", 2)
    trainer = make_trainer(taught, batch=1, learning_rate=1e-2)
    trainer.run(2, lambda *_: None)
    folder = checkpoints.save(tmp_path, trainer)
    exported = load_file(folder / "unet" / UNET_FILE)
    assert exported.keys() == make_objective().unet.state_dict().keys()
    name = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    assert not torch.equal(exported[f"{name}.weight"], taught.unet.state_dict()[f"{name}.base_layer.weight"])
    assert networks.load_unet(folder / "unet").config.in_channels == 12
    again = make_objective()
    again.unet.conv_in.load_state_dict(taught.unet.conv_in.state_dict())
    adapt(again.unet, "spatial", 2)
    resumed = make_trainer(again, batch=1, learning_rate=1e-2)
    checkpoints.resume(folder, resumed)
    for one, other in zip(trainer.learning(), resumed.learning(), strict=True):
        assert torch.equal(one, other)


def test_a_unet_that_never_saw_a_mask_is_refused(make_objective):
    with pytest.raises(BadInput, match="trained on masks") as caught:
        adapt(make_objective().unet, "spatial", 4)
    assert "--lora" in caught.value.hint
