import copy

import pytest
import torch
from videomama_client.errors import WeightsError
from videomama_server.train.follower import Follower, trained_names


@pytest.fixture
def follower(make_follower):
    return make_follower()


def clip(frames=3, seed=6):
    generator = torch.Generator().manual_seed(seed)
    plates = torch.rand(1, frames, 3, 48, 80, generator=generator)
    masks = torch.zeros(1, frames, 1, 48, 80)
    masks[..., 12:36, 20:50] = 1
    return plates, masks


def reached(follower, every, frames=3):
    follower.zero_grad(set_to_none=True)
    torch.sigmoid(follower(*clip(frames), [every])).sum().backward()
    return {name for name, values in follower.model.named_parameters() if values.grad is not None and values.grad.any()}


def show(head, present):
    """Let the network see the object in frames where `present` is 1, and not where it is -1."""
    marks = iter(present)
    return head.register_forward_hook(lambda _module, _inputs, output: output * 0 + next(marks))


def test_gradients_reach_exactly_the_parameters_that_are_named(follower):
    """What the network chooses by decides who learns: here each of its masks is chosen once, and a frame is lost."""
    decoder, seen = follower.model.mask_decoder, set()
    for token in range(4):
        decoder.dynamic_multimask_stability_thresh = (
            2.0 if token else 0.0
        )  # the first of all, or the best of the others
        with torch.no_grad():
            decoder.iou_prediction_head.proj_out.bias.zero_()[token] = 50
        with show(decoder.pred_obj_score_head, [1, 1, 1, -1, 1]):  # a prompted frame is decoded twice
            seen |= reached(follower, every=False, frames=4)
        with show(decoder.pred_obj_score_head, [1, 1, 1]):
            seen |= reached(follower, every=True)
    learning = {name for name, values in follower.model.named_parameters() if values.requires_grad}
    assert seen == learning == set(trained_names(follower.model))
    heads = ("mask_decoder.pred_obj_score_head.", "mask_decoder.iou_prediction_head.", "prompt_encoder.point_embed.")
    staying = {name for name, _ in follower.model.named_parameters()} - learning
    assert {name for name in staying if not name.startswith(heads)} == {
        "no_memory_embedding",
        "no_memory_positional_encoding",
    }


def test_gradients_pass_through_the_memory_to_earlier_frames(follower):
    plates, masks = clip()
    plates.requires_grad_()
    follower(plates, masks, [False])[0, 2].sum().backward()
    assert all(plates.grad[0, frame].any() for frame in range(3))
    plates.grad = None
    follower(plates, masks, [True])[0, 2].sum().backward()
    assert not plates.grad[0, :2].any()
    assert plates.grad[0, 2].any()


def test_nothing_is_seen_before_the_first_mask(follower):
    plates, masks = clip()
    masks[:, 0] = 0
    found = follower(plates, masks, [False]).detach()
    assert (torch.sigmoid(found[0, 0]) == 0).all()
    assert torch.allclose(
        found[0, 1:], follower(plates[:, 1:], masks[:, 1:], [False])[0], atol=1e-3
    )  # logits; memories are bfloat16


def test_a_clip_without_any_mask_has_gradients_of_zero(follower):
    plates, masks = clip()
    follower(plates, masks * 0, [False]).sum().backward()
    grads = [values.grad for values in follower.parameters() if values.requires_grad]
    assert not any(grad.any() for grad in grads)


def test_computing_activations_twice_changes_nothing(follower):
    plates, masks = clip(2)
    twice = Follower(copy.deepcopy(follower.model), follower.normalisation, checkpointing=True)
    found = [one(plates, masks, [False]) for one in (follower, twice)]
    assert torch.equal(*found)
    for one in found:
        one.sum().backward()
    pairs = zip(follower.parameters(), twice.parameters(), strict=True)
    assert all(torch.equal(one.grad, other.grad) for one, other in pairs if one.requires_grad)


def test_it_stays_in_evaluation(follower):
    assert not any(module.training for module in follower.train().modules())


def test_a_folder_without_a_network_is_named(tmp_path):
    with pytest.raises(WeightsError, match="there is no network of SAM 2"):
        Follower.load(tmp_path)
