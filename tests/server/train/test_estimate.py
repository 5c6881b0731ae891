import pytest
from torch import nn
from torch.nn import functional
from videomama_server.train.estimate import Estimate, estimate
from videomama_server.train.trainer import Trained


def size(parameters):
    return sum(values.numel() for values in parameters)


def test_weights_work_and_memory_are_counted(make_objective, make_recipe):
    """Work grows with the batch, activations with what is computed at once, and averages are one more copy."""
    objective = make_objective()
    learning = size(values for values in objective.parameters() if values.requires_grad)
    one = estimate(objective, make_recipe(batch=1, ema=0.0))
    both = estimate(objective, make_recipe(batch=4, micro=2, ema=0.9))
    assert one.weights_gb == pytest.approx(4 * size(objective.parameters()) / 1e9)
    assert one.learning_gb == pytest.approx(3 * 4 * learning / 1e9)
    assert both.learning_gb == pytest.approx(4 * 4 * learning / 1e9)
    assert both.step_tflop == pytest.approx(4 * one.step_tflop, rel=0.02)
    assert 1.6 < both.activations_gb / one.activations_gb < 2.1
    assert one.memory_gb == pytest.approx(one.weights_gb + one.learning_gb + one.activations_gb)
    assert all(values.grad is None for values in objective.parameters())


class Chain(Trained):
    """Three layers whose memory can be counted by hand."""

    part = kept_as = ""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(*(nn.Linear(256, 256, bias=False) for _ in range(3)))

    def forward(self, batch):
        return {"total": self.layers(batch.plate.reshape(-1, 256)).sum()}


def test_activations_are_the_most_that_is_held_at_once(make_recipe):
    """Of 48 rows: pictures, two kept results, a gradient of their size, and one of a layer's weights."""
    rows, layer = 48 * 256 * 4, 256 * 256 * 4
    found = estimate(Chain(), make_recipe(batch=1))
    assert found.step_tflop * 1e12 == pytest.approx(2 * 48 * 256 * 256 * (3 + 5))  # forward; back, but for the pictures
    assert found.activations_gb * 1e9 == pytest.approx(4 * rows + layer, abs=100)


def test_attention_keeps_no_table_of_all_pairs(make_objective, make_recipe):
    """Four times the tokens are four times the memory, not sixteen times; torch attends as before then."""
    usual = functional.scaled_dot_product_attention
    one, other = (estimate(make_objective(), make_recipe(batch=1, size=size)) for size in (256, 512))
    assert other.activations_gb == pytest.approx(4 * one.activations_gb, rel=0.1)
    assert functional.scaled_dot_product_attention is usual


def test_checkpointing_keeps_less_and_computes_more(make_objective, make_recipe):
    plain, saving = make_objective().train(), make_objective().train()
    saving.unet.enable_gradient_checkpointing()
    usual, less = (estimate(objective, make_recipe()) for objective in (plain, saving))
    assert less.activations_gb < usual.activations_gb
    assert less.step_tflop > usual.step_tflop


def test_hours_follow_from_work_and_peak():
    found = Estimate(0, 0, 0, step_tflop=350.0)
    assert found.hours(3600, 1, 1000.0) == pytest.approx(1.0)
    assert found.hours(3600, 4, 1000.0) == pytest.approx(0.25)


def test_hours_are_told_for_the_card_or_for_known_ones_with_what_is_not_sure(make_recipe):
    found, recipe = Estimate(1, 2, 3, step_tflop=989 * 3600 * 0.35 / 100), make_recipe(precision="bf16", steps=400)
    assert found.hours_told(recipe, 2, "NVIDIA H100 80GB HBM3") == (
        "Estimated hours of 400 steps at 35% of peak, in brackets 50% to 20%: 2 x H100: 2.0 (1.4 to 3.5)."
    )
    assert "1 x A100: 12.7" in found.hours_told(recipe, 1, "")
    assert "for bf16 alone" in found.hours_told(make_recipe(), 1, "NVIDIA H100")


def test_memory_is_told_by_what_holds_it():
    assert Estimate(1.0, 2.0, 3.0, 8.0).memory_told(2) == (
        "Estimated: 6.00 GB a device in float32 (1.00 weights, 2.00 optimiser, 3.00 activations; bf16 needs less); "
        "4.00 TFLOP a step and device."
    )


@pytest.mark.slow
def test_a_network_with_a_memory_is_counted_too(matte):
    """More frames are more work and keep more; all weights but a few heads learn."""
    few, many = (matte(frames=frames, batch=1) for frames in (1, 3))
    one, other = (estimate(trainer.objective, trainer.recipe) for trainer in (few, many))
    assert one.weights_gb == pytest.approx(4 * size(few.objective.parameters()) / 1e9)
    assert one.learning_gb == pytest.approx(4 * 4 * size(few.learning()) / 1e9)
    assert 2.5 < other.step_tflop / one.step_tflop < 6
    assert one.activations_gb < 0.7 * other.activations_gb
