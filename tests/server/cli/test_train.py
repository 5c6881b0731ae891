import sys

import pytest


def test_help_says_what_networks_clips_and_run_take(videomama):
    said = videomama("train", "videomama", "--help")
    for word in ("--unet", "--foregrounds", "--masks", "--stage", "--micro", "torchrun"):
        assert word in said.out


def test_without_the_extra_it_says_what_to_install(videomama, monkeypatch, forget, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    forget("videomama_server.train", "torch.utils.tensorboard")
    said = videomama("train", "videomama", "--unet", tmp_path, "--vae", tmp_path, "--out", tmp_path / "run")
    assert said.code == 1
    assert "training needs tensorboard" in said.err
    assert "[train]" in said.err


def test_a_share_that_is_none_is_refused(videomama, tmp_path):
    words = ["train", "videomama", "--unet", tmp_path, "--vae", tmp_path, "--out", tmp_path]
    said = videomama(*words, "--masks", "mixed=much")
    assert said.code == 2
    assert "'much' is not a share" in said.err


@pytest.mark.slow
def test_options_reach_the_recipe(videomama, tmp_path, monkeypatch):
    from videomama_server.train import run

    seen = {}
    monkeypatch.setattr(run, "train", lambda out, inputs, recipe, *_: seen.update(inputs=inputs, recipe=recipe) or out)
    words = ["--unet", tmp_path, "--vae", tmp_path, "--out", tmp_path, "--data", tmp_path, "--stage", "temporal"]
    words += ["--masks", "mixed", "--masks", "box+temporal=0.5", "--alignment", "0", "--ema", "0", "--checkpointing"]
    said = videomama("train", "videomama", *words, "--device", "cpu", "--steps", "7")
    assert said.code == 0, said.err
    recipe = seen["recipe"]
    assert (recipe.stage, recipe.steps, recipe.size, recipe.frames) == ("temporal", 7, 704, 3)
    assert recipe.masks == (("mixed", 1.0), ("box+temporal", 0.5))
    assert (recipe.alignment, recipe.ema, recipe.checkpointing) == (0, 0, True)
    assert dict(recipe.inputs) == {"unet": str(tmp_path), "vae": str(tmp_path), "finished": str(tmp_path)}
    assert seen["inputs"].finished == (tmp_path,)


@pytest.mark.slow
def test_options_of_sam2matte_reach_its_recipe(videomama, tmp_path, monkeypatch):
    from videomama_server.train import run

    seen = {}
    monkeypatch.setattr(run, "train", lambda out, inputs, recipe, *_: seen.update(inputs=inputs, recipe=recipe) or out)
    words = ["--sam2", tmp_path / "sam2.pt", "--out", tmp_path / "run", "--data", tmp_path, "--every", "0"]
    words += ["--encoder-learning-rate", "0", "--frames", "4", "--masks", "box", "--steps", "7", "--device", "cpu"]
    said = videomama("train", "sam2matte", *words)
    assert said.code == 0, said.err
    assert f"videomama matte --engine sam2matte --weights {tmp_path / 'run'}" in said.out
    recipe = seen["recipe"]
    assert (recipe.network, recipe.steps, recipe.frames, recipe.batch) == ("sam2matte", 7, 4, 8)
    assert (recipe.every, recipe.encoder_learning_rate, recipe.learning_rate) == (0, 0, 5e-6)
    assert dict(recipe.inputs) == {"sam2": str(tmp_path / "sam2.pt"), "finished": str(tmp_path)}
    assert seen["inputs"] == run.MatteInputs(tmp_path / "sam2.pt", finished=(tmp_path,))


def test_help_of_sam2matte_says_what_it_takes(videomama):
    said = videomama("train", "sam2matte", "--help")
    for word in ("--sam2", "--every", "--encoder-learning-rate", "--data"):
        assert word in said.out
    assert "--teacher" not in said.out


@pytest.mark.slow
def test_an_estimate_says_what_is_needed_and_trains_nothing(videomama, tmp_path, monkeypatch):
    from videomama_server.train import run

    seen = []
    monkeypatch.setattr(run.Inputs, "objective", lambda _self, recipe: recipe)
    monkeypatch.setattr(
        run, "tell_needs", lambda objective, recipe, _processes, say: seen.append(objective) or say("so much")
    )
    words = ["--unet", tmp_path, "--vae", tmp_path, "--out", tmp_path / "run", "--estimate", "--device", "cpu"]
    said = videomama("train", "videomama", *words, "--size", "512")
    assert (said.code, said.err.strip(), said.out) == (0, "so much", "")
    assert seen[0].size == 512
    assert not (tmp_path / "run").exists()
