from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file
from videomama_client.errors import WeightsError
from videomama_server.engines.mematte.checkpoint import load, unwrapped


def test_a_checkpoint_of_318_entries_loads_with_none_missing(mematte_state, tmp_path):
    path = tmp_path / "mematte.pth"
    assert len(mematte_state) == 318
    torch.save(mematte_state, path)
    state = load(path).state_dict()
    assert state.keys() == mematte_state.keys()
    assert all(torch.equal(state[name], tensor) for name, tensor in mematte_state.items())


@pytest.mark.parametrize("wrapper", ["model", "state_dict"])
def test_what_training_wraps_around_it_is_taken_off(mematte_state, tmp_path, wrapper):
    path = tmp_path / "mematte.pth"
    named = {f"module.{name}": tensor for name, tensor in mematte_state.items()}
    torch.save({wrapper: named | {"teacher_backbone.pos_embed": torch.zeros(3)}, "iteration": 7}, path)
    assert torch.equal(load(path).backbone.pos_embed, mematte_state["backbone.pos_embed"])


def test_a_safetensors_file_is_read_too(mematte_state, tmp_path):
    path = tmp_path / "mematte.safetensors"
    save_file(mematte_state, path)
    assert torch.equal(load(path).backbone.pos_embed, mematte_state["backbone.pos_embed"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.pop("backbone.pos_embed"), r"lacks 1 tensors, such as backbone\.pos_embed"),
        (lambda state: state.update(extra=torch.zeros(1)), "has besides 1 tensors, such as extra"),
        (lambda state: state.update({"backbone.pos_embed": torch.zeros(1)}), "has in another shape 1 tensors"),
    ],
)
def test_tensors_that_do_not_fit_are_an_error_that_names_one(mematte_state, tmp_path, change, said):
    path, state = tmp_path / "mematte.pth", dict(mematte_state)
    change(state)
    torch.save(state, path)
    with pytest.raises(WeightsError, match=said) as refused:
        load(path)
    assert "--with mematte" in refused.value.hint


@pytest.mark.parametrize("content", [b"", b"nothing like weights", b"PK\x03\x04"])
def test_a_damaged_file_is_an_error_that_names_it(tmp_path, content):
    path = tmp_path / "mematte.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"cannot read .*mematte\.pth"):
        load(path)


def test_a_file_that_would_run_code_is_refused(tmp_path):
    class Code:
        def __reduce__(self):
            return print, ("ran",)

    path = tmp_path / "mematte.pth"
    torch.save({"model": Code()}, path)
    with pytest.raises(WeightsError, match="cannot read"):
        load(path)


def test_what_is_no_tensor_is_left_out():
    assert unwrapped({"model": {"a": torch.zeros(1), "b": 3}, "c": 1}).keys() == {"a"}
