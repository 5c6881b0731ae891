import diffusers
import pytest
import torch
from safetensors.torch import load_file, save_file
from videomama_client.errors import WeightsError
from videomama_server.train import networks


def published():
    with torch.device("meta"):
        return diffusers.UNetSpatioTemporalConditionModel(in_channels=12, num_attention_heads=(5, 10, 20, 20))


def test_a_stage_trains_the_published_names_without_those_that_decide_nothing():
    parameters = dict(published().named_parameters())
    spatial, temporal = (networks.trained_names(published(), stage) for stage in ("spatial", "temporal"))
    assert not set(spatial) & set(temporal)
    assert not any("temporal" in name for name in spatial)
    assert all("temporal" in name for name in temporal)
    left = parameters.keys() - {*spatial, *temporal}
    assert {name.split("attn2.")[-1] for name in left if "attn2" in name} == {
        "to_q.weight", "to_k.weight", "to_v.weight", "to_out.0.weight"
    }  # fmt: skip
    assert all("attn2" in name or ".norm2." in name for name in left)
    count = {stage: sum(parameters[name].numel() for name in names) for stage, names in
             (("spatial", spatial), ("temporal", temporal))}  # fmt: skip
    assert count == {"spatial": 917_378_602, "temporal": 506_526_400}


def test_mixers_and_the_index_of_the_frame_are_trained_with_the_pictures_as_published():
    spatial = networks.trained_names(published(), "spatial")
    assert sum(name.endswith("time_mixer.mix_factor") for name in spatial) == 38
    assert any("time_pos_embed" in name for name in spatial)


def test_all_else_is_frozen(svd):
    unet = networks.load_unet(svd)
    chosen = networks.choose_trained(unet, "temporal")
    assert [name for name, parameter in unet.named_parameters() if parameter.requires_grad] == chosen


def test_a_unet_of_pictures_gets_four_channels_of_zeros(svd):
    old = load_file(svd / "unet" / "diffusion_pytorch_model.safetensors")
    unet = networks.load_unet(svd)
    assert unet.config.in_channels == 12
    assert torch.equal(unet.conv_in.weight[:, :8], old["conv_in.weight"])
    assert torch.equal(unet.conv_in.bias, old["conv_in.bias"])
    assert not unet.conv_in.weight[:, 8:].any()


def test_before_the_first_step_the_mask_changes_nothing(svd):
    unet = networks.load_unet(svd).eval()
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(1, 2, 12, 8, 8, generator=generator)
    other = inputs.clone()
    other[:, :, 8:] = torch.randn(1, 2, 4, 8, 8, generator=generator)
    context, ids = torch.zeros(1, 1, 16), torch.tensor([[7.0, 127.0, 0.0]])
    with torch.no_grad():
        results = [unet(one, 1, context, ids, return_dict=False)[0] for one in (inputs, other)]
    assert torch.equal(*results)


def test_a_result_of_this_training_is_taken_as_it_is(svd, tmp_path):
    unet = networks.load_unet(svd)
    with torch.no_grad():
        unet.conv_in.weight += 1
    unet.save_pretrained(tmp_path / "unet")
    assert torch.equal(networks.load_unet(tmp_path).conv_in.weight, unet.conv_in.weight)


def test_the_vae_may_be_stored_in_half_precision_and_does_not_learn(svd):
    vae = networks.load_vae(svd)
    assert {values.dtype for values in vae.parameters()} == {torch.float32}
    assert not any(values.requires_grad for values in vae.parameters())


def test_a_unet_of_other_channels_is_refused_with_both_numbers(tmp_path, svd):
    unet = networks.load_unet(svd)
    unet.register_to_config(in_channels=9)
    unet.conv_in = torch.nn.Conv2d(9, 32, 3, padding=1)
    unet.save_pretrained(tmp_path)
    with pytest.raises(WeightsError, match="takes 9 channels") as caught:
        networks.load_unet(tmp_path)
    assert "takes 8" in caught.value.hint
    assert "takes 12" in caught.value.hint


def test_a_folder_without_networks_is_named(tmp_path):
    with pytest.raises(WeightsError, match=f"no vae in {tmp_path}"):
        networks.load_vae(tmp_path)


def test_a_file_that_is_cut_off_is_named(tmp_path, svd):
    vae = networks.load_vae(svd)
    vae.save_pretrained(tmp_path / "vae")
    file = tmp_path / "vae" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(WeightsError, match=r"the vae in .* does not load"):
        networks.load_vae(tmp_path)


def test_weights_of_another_network_are_refused(tmp_path, svd):
    vae = networks.load_vae(svd)
    vae.save_config(tmp_path / "vae")
    save_file(
        {"encoder.conv_in.weight": torch.zeros(7, 3, 3, 3)}, tmp_path / "vae" / "diffusion_pytorch_model.safetensors"
    )
    with pytest.raises(WeightsError, match="does not load"):
        networks.load_vae(tmp_path)
