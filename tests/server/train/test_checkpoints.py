import json
import os

import pytest
import torch
from safetensors.torch import load_file
from videomama_client.errors import BadInput, WeightsError
from videomama_server.engines.videomama.checkpoint import layouts, weights
from videomama_server.train import checkpoints, networks
from videomama_server.train.objective import PROJECTION, UNET_FILE
from videomama_server.train.recipe import FILE
from videomama_server.train.run import lay_out


def state(trainer):
    return {name: values.clone() for name, values in trainer.objective.state_dict().items()}


def trained(trainer, steps):
    losses = []
    trainer.run(steps, lambda _, found: losses.append(found))
    return losses


@pytest.fixture
def tiny(make_trainer, make_objective):
    """`tiny(**values)`: a training of the tiny network, aligned, with averaged weights."""

    def make(**values):
        aligned = make_objective(values.get("stage", "spatial"), aligned=True)
        return make_trainer(aligned, **{"batch": 1, "alignment": 1.0, "learning_rate": 1e-3, **values})

    return make


@pytest.mark.slow
def test_two_steps_and_two_after_a_resume_are_four_to_the_bit(tiny, tmp_path):
    whole, begun, resumed = tiny(), tiny(), tiny()
    losses = trained(whole, 4)
    trained(begun, 2)
    checkpoints.resume(checkpoints.save(tmp_path, begun), resumed)
    assert resumed.step == 2
    assert trained(resumed, 4) == losses[2:]
    for name, values in state(whole).items():
        assert torch.equal(state(resumed)[name], values), name
    shadows = zip(whole.averaged.shadow_params, resumed.averaged.shadow_params, strict=True)
    assert all(torch.equal(*pair) for pair in shadows)


@pytest.fixture
def saved(tiny, tmp_path):
    trainer = tiny()
    trained(trainer, 1)
    return trainer, checkpoints.save(tmp_path, trainer)


def test_a_checkpoint_has_the_published_layout(saved):
    trainer, folder = saved
    assert folder.name == "checkpoint-000001"
    unet = load_file(folder / "unet" / UNET_FILE)
    own = trainer.objective.unet.state_dict()
    assert unet.keys() == own.keys()
    assert all(torch.equal(values, own[name]) for name, values in unet.items())
    assert json.loads((folder / "unet" / "config.json").read_text())["in_channels"] == 12
    assert networks.load_unet(folder / "unet").config.block_out_channels == [32, 32, 32]
    projection = torch.load(folder / PROJECTION, weights_only=True)
    assert projection.keys() == trainer.objective.alignment.projection.state_dict().keys()


def test_averaged_weights_lie_beside_with_what_is_frozen_as_it_is(saved):
    trainer, folder = saved
    averaged = load_file(folder / "unet_ema" / UNET_FILE)
    names = [name for name, parameter in trainer.objective.named_parameters() if parameter.requires_grad]
    shadows = dict(zip(names, trainer.averaged.shadow_params, strict=True))
    for name, values in trainer.objective.unet.state_dict().items():
        assert torch.equal(averaged[name], shadows.get(f"unet.{name}", values)), name


def test_the_newest_whole_one_is_found(make_trainer, tiny, tmp_path):
    assert checkpoints.latest(tmp_path) is None
    trainer = tiny(keep=2)
    for step in (1, 2, 3):
        trainer.step = step
        checkpoints.save(tmp_path, trainer)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-000002", "checkpoint-000003"]
    (tmp_path / "checkpoint-000009").mkdir()  # of a copy that was broken off
    assert checkpoints.latest(tmp_path) == checkpoints.folder_of(tmp_path, 3)


def test_saving_that_ends_in_the_middle_leaves_the_one_before(tiny, tmp_path, monkeypatch):
    trainer = tiny()
    checkpoints.save(tmp_path, trainer)
    before = checkpoints.latest(tmp_path)
    trainer.step = 1

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(tmp_path, trainer)
    assert checkpoints.latest(tmp_path) == before


@pytest.mark.parametrize(("change", "name"), [({"learning_rate": 2e-3}, "learning_rate"), ({"seed": 1}, "seed")])
def test_another_recipe_does_not_resume(saved, tiny, change, name):
    with pytest.raises(BadInput, match=f"trained with another {name}"):
        checkpoints.resume(saved[1], tiny(**change))


def test_more_steps_resume(saved, tiny):
    trainer = tiny(steps=99)
    checkpoints.resume(saved[1], trainer)
    assert trainer.step == 1


def test_a_checkpoint_that_is_cut_off_is_named(saved, tiny):
    file = saved[1] / "trainer.pt"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(WeightsError, match=r"checkpoint-000001 cannot be read"):
        checkpoints.resume(saved[1], tiny())


def test_code_in_a_checkpoint_is_not_run(saved, tiny, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    torch.save({"step": Trap()}, saved[1] / "trainer.pt")
    with pytest.raises((WeightsError, Exception)):
        checkpoints.resume(saved[1], tiny())
    assert not (tmp_path / "sprung").exists()


def test_the_engine_computes_with_a_result_what_the_training_does(saved, svd, tmp_path):
    trainer, folder = saved
    result = lay_out(tmp_path / "result", folder / "unet", svd)
    network = weights.load(weights.folded(layouts.find(result), tmp_path / "folded", torch.float32))
    inputs = torch.randn(3, 12, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = trainer.objective.eval().unet_pass(inputs[None])[0]
        assert torch.allclose(network.unet(inputs, 1), expected, atol=1e-4)


def test_the_recipe_lies_in_every_checkpoint(saved):
    assert json.loads((saved[1] / FILE).read_text())["learning_rate"] == 1e-3
