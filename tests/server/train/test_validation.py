import numpy as np
import pytest
import torch
from videomama_server.train.validation import validate


@pytest.fixture
def trainer(make_trainer):
    return make_trainer(frames=2)


@pytest.fixture
def samples(trainer):
    return [trainer.turns.samples[0, index] for index in range(2)]


def told(trainer, samples, monkeypatch, alpha):
    monkeypatch.setattr(trainer.objective, "predict", alpha)
    return validate(trainer, samples)


def test_an_exact_alpha_has_no_error_and_the_mask_has_one(trainer, samples, monkeypatch):
    scores, _ = told(trainer, samples, monkeypatch, lambda batch: batch.alpha)
    assert scores["mad"] == scores["dtssd"] == 0
    assert scores["mask_mad"] > 1


def test_the_score_is_the_mean_over_the_samples(trainer, samples, monkeypatch):
    wrong = iter([0.2, 0.4])  # of the range of -1 to 1
    off = lambda batch: batch.alpha + next(wrong) * (1 - 2 * (batch.alpha > 0))  # noqa: E731
    scores, _ = told(trainer, samples, monkeypatch, off)
    assert scores["mad"] == pytest.approx(1000 * (0.1 + 0.2) / 2, rel=1e-3)


def test_the_sheet_has_a_row_for_each_sample_and_plate_mask_alpha_and_truth_in_it(trainer, samples, monkeypatch):
    _, sheet = told(trainer, samples, monkeypatch, lambda batch: torch.zeros_like(batch.alpha))
    assert sheet.shape == (2 * 64, 4 * 64, 3)
    plate, mask, alpha, truth = np.split(sheet[:64], 4, axis=1)
    assert np.allclose(plate, np.moveaxis(samples[0].plate[0].numpy(), 0, -1) / 2 + 0.5)
    assert np.allclose(mask[..., 0], samples[0].mask[0, 0] / 2 + 0.5)
    assert np.allclose(alpha, 0.5)
    assert np.allclose(truth[..., 1], samples[0].alpha[0, 0] / 2 + 0.5)


def test_averaged_weights_are_judged_and_the_learning_ones_are_back_afterwards(trainer, samples, monkeypatch):
    own = [values.clone() for values in trainer.learning()]
    for shadow in trainer.averaged.shadow_params:
        shadow.fill_(0.125)
    judged = []

    def alpha(batch):
        judged.append({values.unique().item() for values in trainer.learning()})
        return batch.alpha

    told(trainer, samples, monkeypatch, alpha)
    assert judged == [{0.125}] * 2
    assert all(torch.equal(*pair) for pair in zip(own, trainer.learning(), strict=True))
    assert trainer.objective.unet.training


def test_weights_are_back_when_a_clip_cannot_be_judged(trainer, samples, monkeypatch):
    own = [values.clone() for values in trainer.learning()]
    trainer.averaged.shadow_params[0].fill_(9)

    def fail(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        told(trainer, samples, monkeypatch, fail)
    assert torch.equal(own[0], trainer.learning()[0])


def test_the_network_itself_gives_alphas_in_range(trainer, samples):
    with torch.no_grad():
        scores, sheet = validate(trainer, samples[:1])
    assert np.isfinite(list(scores.values())).all()
    assert 0 <= sheet.min() <= sheet.max() <= 1
    assert validate(trainer, samples[:1])[0] == pytest.approx(scores)


def test_sam2matte_is_judged_by_its_first_frame_with_region_and_boundary(matte):
    trainer = matte()
    scores, sheet = validate(trainer, [trainer.turns.samples[0, index] for index in range(2)])
    names = ("mad", "mse", "grad", "dtssd", "mad_t", "j", "f")
    assert sorted(scores) == sorted([*names, *(f"mask_{name}" for name in names)])
    assert np.isfinite(list(scores.values())).all()
    assert scores["mask_j"] > scores["j"]  # random weights
    assert sheet.shape == (2 * 64, 4 * 64, 3)
