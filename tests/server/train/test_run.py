import json
import tarfile
from dataclasses import replace

import numpy as np
import pytest
from videomama_client.errors import BadInput, NotPermitted, WeightsError
from videomama_server import engines
from videomama_server.engines.base import EngineConfig
from videomama_server.engines.segment.pictures import Normalisation
from videomama_server.media import frames
from videomama_server.train import checkpoints
from videomama_server.train.data.drawn import Request
from videomama_server.train.estimate import Estimate
from videomama_server.train.logs import FILE as LOG
from videomama_server.train.run import (
    Inputs,
    MatteInputs,
    lay_out,
    make_objective,
    request_of,
    train,
    validation_samples,
)
from videomama_server.train.trainer import Means


@pytest.fixture
def inputs(svd, make_data):
    return Inputs(svd, svd, finished=(make_data.plain("hair_wall"),))


@pytest.fixture(autouse=True)
def estimated(monkeypatch):
    """Counting a step takes longer than these runs; `test_estimate` does it."""
    from videomama_server.train import run

    monkeypatch.setattr(run, "estimate", lambda *_: Estimate(1.0, 2.0, 3.0, 4.0))


@pytest.fixture
def run(tmp_path, inputs, make_recipe, alone):
    """`run(steps, inputs=…, **values)`: train into one folder; returns the result and what was said."""

    def go(steps, inputs=inputs, **values):
        said = []
        recipe = make_recipe(steps=steps, batch=1, save_every=2, validate_every=2, **values)
        return train(tmp_path / "run", inputs, recipe, alone, Means(), said.append), said

    return go


def lines(folder, kind):
    rows = [json.loads(line) for line in (folder / LOG).read_text().splitlines()]
    return [row for row in rows if row["kind"] == kind]


@pytest.mark.slow
def test_a_run_ends_with_weights_in_the_published_layout_and_goes_on_when_asked_for_more(run, tmp_path, inputs):
    judged = replace(inputs, validation=inputs.finished)
    result, said = run(3, judged)
    assert said[0] == (
        "Estimated: 6.00 GB a device in float32 (1.00 weights, 2.00 optimiser, 3.00 activations; bf16 needs less); "
        "4.00 TFLOP a step and device."
    )
    assert said[1].startswith("Hours are estimated for bf16 alone.")
    assert sorted(str(path.relative_to(result)) for path in result.rglob("*.safetensors")) == [
        "VideoMaMa/unet/diffusion_pytorch_model.safetensors",
        "stable-video-diffusion-img2vid-xt/vae/diffusion_pytorch_model.fp16.safetensors",
    ]
    assert [row["step"] for row in lines(tmp_path / "run", "train")] == [1, 2, 3]
    assert [row["step"] for row in lines(tmp_path / "run", "validation")] == [2, 3]
    _, said = run(4, judged)
    assert any(line.startswith("Resumed at step 3") for line in said)
    assert [row["step"] for row in lines(tmp_path / "run", "train")] == [1, 2, 3, 4]
    assert checkpoints.latest(tmp_path / "run").name == "checkpoint-000004"


def test_a_run_says_how_long_it_will_take_by_its_first_steps(run):
    _, said = run(5)
    assert sum(line.startswith("Measured in steps 2 to 4: ") for line in said) == 1


def test_foregrounds_are_composited_while_training(run, inputs, tmp_path, draw):
    for place in ("fg/a.png", "behind/b.png"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        frames.write_picture(tmp_path / place, np.full((32, 32, 3), 0.5, np.float32), dtype="uint8")
    (tmp_path / "alpha").mkdir()
    frames.write_picture(tmp_path / "alpha" / "a.png", draw.disc(0, (32, 32), 9.0), ("Y",), "uint8")
    (tmp_path / "cut").mkdir()
    (tmp_path / "fg").rename(tmp_path / "cut" / "fg")
    (tmp_path / "alpha").rename(tmp_path / "cut" / "alpha")
    composited = replace(inputs, finished=(), foregrounds=(tmp_path / "cut",), backgrounds=(tmp_path / "behind",))
    _, said = run(1, composited)
    assert said[-1].startswith("step 1: ")
    with pytest.raises(BadInput, match="foregrounds need backgrounds"):
        run(1, replace(composited, backgrounds=()))


def test_a_run_takes_tar_files_in_the_place_of_folders(run, inputs, tmp_path):
    with tarfile.open(tmp_path / "set-00.tar", "w") as tar:
        tar.add(inputs.finished[0], ".")
    shards = (tmp_path / "set-*.tar",)
    _, said = run(1, replace(inputs, finished=shards, validation=shards))
    assert said[-1].startswith("validation at step 1: ")


def test_an_alignment_needs_a_teacher(inputs, make_recipe, dino):
    recipe = make_recipe(alignment=1.0)
    with pytest.raises(BadInput, match="the alignment needs a teacher") as caught:
        make_objective(inputs, recipe)
    assert "--alignment 0" in caught.value.hint
    assert make_objective(replace(inputs, teacher=dino), recipe).alignment.teacher.width == 32


def test_losses_weigh_as_the_recipe_says(inputs, make_recipe):
    weights = make_objective(inputs, make_recipe(l1=2.0, laplacian=3.0)).weights
    assert (weights.l1, weights.laplacian, weights.alignment) == (2.0, 3.0, 0.0)


def test_activations_are_computed_twice_where_asked(inputs, make_recipe):
    for asked in (False, True):
        assert make_objective(inputs, make_recipe(checkpointing=asked)).unet.is_gradient_checkpointing is asked


def test_validation_looks_at_the_same_samples_every_time(inputs, make_recipe):
    judged = replace(inputs, validation=inputs.finished)
    one, other = (validation_samples(judged, make_recipe(seed=seed), Request(1, 64, 64)) for seed in (1, 2))
    assert [sample.seed for sample in one] == [sample.seed for sample in other]
    assert len(one) == 1
    assert validation_samples(inputs, make_recipe(), Request(1, 64, 64)) == []


def test_a_clip_that_cannot_be_read_stops_before_the_first_step(run, inputs, make_data):
    folder = make_data.plain("fur_wall")
    next((folder / "fur_wall").glob("alpha.1002.exr")).unlink()
    with pytest.raises(BadInput, match="alpha"):
        run(1, replace(inputs, finished=(folder,)))


def test_no_data_and_no_networks_are_told(run, inputs, tmp_path):
    with pytest.raises(BadInput, match="no clips to train on"):
        run(1, replace(inputs, finished=()))
    with pytest.raises(WeightsError, match="there is no unet in"):
        run(1, replace(inputs, unet=tmp_path))


def test_a_folder_that_cannot_be_written_is_named(run, tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(NotPermitted, match=r"cannot write in .*run"):
        run(1)


def test_what_lay_in_the_place_of_a_result_is_replaced(svd, tmp_path):
    (tmp_path / "result" / "VideoMaMa" / "old").mkdir(parents=True)
    lay_out(tmp_path / "result", svd / "unet", svd / "vae")
    assert sorted(path.name for path in (tmp_path / "result" / "VideoMaMa").iterdir()) == ["unet"]
    assert (tmp_path / "result" / "stable-video-diffusion-img2vid-xt" / "vae" / "config.json").is_file()


@pytest.mark.slow
def test_a_run_of_sam2matte_ends_with_weights_that_its_engine_loads(run, tmp_path, inputs, make_follower):
    make_follower().model.save_pretrained(tmp_path / "hub")
    (tmp_path / "hub" / "preprocessor_config.json").write_text('{"image_mean": [0, 0, 0], "image_std": [1, 1, 0.5]}')
    clips = {"finished": inputs.finished, "validation": inputs.finished}
    result, said = run(2, MatteInputs(tmp_path / "hub", **clips), network="sam2matte", frames=2)
    assert said[0].startswith("Estimated: ")
    assert any(line.startswith("validation at step 2: mad ") and "j " in line for line in said)
    engine = engines.load("sam2matte", EngineConfig(weights=result, folded_dir=tmp_path, device="cpu"))
    assert engine.network.normalisation == Normalisation((0, 0, 0), (1, 1, 0.5))
    _, said = run(3, MatteInputs(result / "sam2matte", **clips), network="sam2matte", frames=2)
    assert any(line.startswith("Resumed at step 2") for line in said)
    with pytest.raises(BadInput, match="trained with another network"):
        run(4, frames=2)


def test_samples_of_sam2matte_are_plates_of_16_to_9(make_recipe):
    assert request_of(make_recipe(network="sam2matte", frames=4, size=576)) == Request(4, 1024, 576)
    assert request_of(make_recipe(frames=4, size=576)) == Request(4, 576, 576)
