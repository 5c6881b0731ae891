import json

import pytest
import torch
from videomama_client.errors import WeightsError
from videomama_server.train.alignment import SIDE, Alignment, Teacher

MEAN, DEVIATION = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


@pytest.fixture
def teacher(dino):
    return Teacher.load(dino)


def test_the_teacher_is_shown_plates_normalised_once(teacher):
    """The published training scales twice: its pictures have a mean of -2 and a deviation of 0.001."""
    shown = {}
    teacher.network.register_forward_pre_hook(lambda _, __, named: shown.update(named), with_kwargs=True)
    plates = torch.rand(2, 3, 96, 160, generator=torch.Generator().manual_seed(0))
    teacher(plates)
    pictures = shown["pixel_values"]
    assert pictures.shape == (2, 3, SIDE, SIDE)
    assert torch.allclose(pictures.mean(dim=(0, 2, 3)), (0.5 - MEAN) / DEVIATION, atol=0.05)
    assert 0.3 < pictures.std().item() < 2


def test_white_and_black_are_what_they_are_in_its_training(teacher):
    for value in (0.0, 1.0):
        seen = teacher.seen(torch.full((1, 3, 32, 32), value))
        assert torch.allclose(seen[0, :, 0, 0], (value - MEAN) / DEVIATION, atol=1e-5)


def test_colours_of_its_own_are_read_beside_it(dino, tmp_path):
    for file in dino.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0, 0, 0], "image_std": [0.5, 1, 2]}))
    seen = Teacher.load(tmp_path).seen(torch.ones(1, 3, 32, 32))
    assert torch.allclose(seen[0, :, 0, 0], torch.tensor([2.0, 1.0, 0.5]))


def test_features_are_those_of_the_patches_without_class_and_registers(teacher):
    plates = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    features = teacher(plates)
    assert features.shape == (1, 32, 14, 14)
    tokens = teacher.network(pixel_values=teacher.seen(plates)).last_hidden_state[0]
    assert torch.equal(features[0, :, 0, 0], tokens[1 + teacher.network.config.num_register_tokens])
    assert torch.equal(features[0, :, 0, 1], tokens[2 + teacher.network.config.num_register_tokens])


def test_features_that_point_the_teachers_way_lose_one_and_others_gain(teacher):
    alignment = Alignment(teacher, 32)
    alignment.projection = torch.nn.Identity()
    plates = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    wanted = torch.nn.functional.interpolate(teacher(plates), (5, 7), mode="bilinear")
    assert alignment(3 * wanted, plates).item() == pytest.approx(-1, abs=1e-5)
    assert alignment(-wanted, plates).item() == pytest.approx(1, abs=1e-5)


def test_only_the_projection_learns(teacher):
    alignment = Alignment(teacher, 6).train()
    alignment(torch.rand(1, 6, 4, 4), torch.rand(1, 3, 64, 64)).backward()
    assert {name.split(".")[0] for name, parameter in alignment.named_parameters() if parameter.requires_grad} == {
        "projection"
    }
    assert all(parameter.grad is not None for parameter in alignment.projection.parameters())
    assert not teacher.network.training


def test_another_network_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "vit"}')
    with pytest.raises(WeightsError, match="no DINOv3"):
        Teacher.load(tmp_path)
