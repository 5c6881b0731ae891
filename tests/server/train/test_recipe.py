import json
from dataclasses import asdict, replace

import pytest
from videomama_client.errors import BadInput
from videomama_server.train.recipe import FILE, Recipe, differing, matte_recipe, read_recipe, recipe_of


def test_the_first_stage_is_as_published():
    found = asdict(recipe_of("spatial"))
    expected = {"size": 1024, "frames": 1, "steps": 10_000, "batch": 64, "learning_rate": 5e-5, "weight_decay": 1e-2}
    assert found.items() >= {**expected, "clip_norm": 3.0, "seed": 42, "masks": (("mixed", 1.0),)}.items()


def test_the_second_stage_sees_three_frames_and_masks_that_fail_on_some():
    found = recipe_of("temporal")
    assert (found.stage, found.size, found.frames) == ("temporal", 704, 3)
    assert dict(found.masks) == {"mixed": 0.5, "mixed+temporal": 0.5}


def test_sam2matte_learns_slowly_and_its_image_encoder_slower(tmp_path):
    found = matte_recipe()
    assert (found.network, found.frames, found.every, found.alignment) == ("sam2matte", 8, 0.5, 0)
    assert 0 < found.encoder_learning_rate < found.learning_rate < Recipe().learning_rate
    found.write(tmp_path)
    assert read_recipe(tmp_path) == found
    assert differing(found, Recipe())[0] == "network"


def test_a_recipe_is_read_as_it_was_written(tmp_path):
    recipe = replace(recipe_of("temporal"), inputs=(("unet", "svd"), ("finished", "a ü")))
    recipe.write(tmp_path)
    assert read_recipe(tmp_path) == recipe


@pytest.mark.parametrize("size", [0, 100, 1000])
def test_a_size_that_the_network_cannot_have_is_refused(size):
    with pytest.raises(BadInput, match=f"{size} pixels cannot be trained") as caught:
        Recipe(size=size)
    assert "multiple of 64" in caught.value.hint


def test_an_unknown_precision_is_refused():
    with pytest.raises(BadInput, match="unknown precision 'fp8'"):
        Recipe(precision="fp8")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"masks": 1}'])
def test_a_folder_without_a_recipe_is_named(tmp_path, content):
    if content:
        (tmp_path / FILE).write_text(content)
    with pytest.raises(BadInput, match="holds no training"):
        read_recipe(tmp_path)


def test_a_value_of_another_version_is_named(tmp_path):
    (tmp_path / FILE).write_text(json.dumps({**asdict(Recipe()), "momentum": 1}))
    with pytest.raises(BadInput, match="unknown value 'momentum'"):
        read_recipe(tmp_path)


def test_what_changes_no_step_may_differ_between_a_run_and_its_resume():
    one = Recipe()
    assert differing(one, replace(one, steps=1, save_every=1, validate_every=1, keep=9, inputs=(("a", "b"),))) == []
    changed = replace(one, frames=3, masks=(("box", 1.0),), ema=0.0)
    assert differing(one, changed) == ["frames", "masks", "ema"]


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Recipe) == {
        "size": 1024,
        "frames": 1,
        "steps": 10000,
        "batch": 64,
        "micro": 1,
        "lora": 0,
        "checkpointing": False,
        "learning_rate": 5e-5,
        "encoder_learning_rate": 0.0,
        "every": 0.0,
        "weight_decay": 0.01,
        "clip_norm": 3.0,
        "ema": 0.9999,
        "l1": 1.0,
        "laplacian": 15.0,
        "alignment": 1.0,
        "seed": 42,
        "save_every": 500,
        "validate_every": 500,
        "keep": 3,
    }
