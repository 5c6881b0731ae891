"""What the header of a safetensors file says, and every way in which it may be wrong."""

import json

import pytest
from videomama_client.errors import WeightsError
from videomama_server.engines.videomama.checkpoint import headers, layouts

PUBLISHED = "diffusion_pytorch_model.safetensors"
HALF = "diffusion_pytorch_model.fp16.safetensors"


def test_shards_count_as_one_network(tmp_path, put):
    tensors = put.unet_tensors()
    names = {}
    for number, (name, tensor) in enumerate(tensors.items()):
        names[name] = put.file(tmp_path / "unet" / f"part-{number}.safetensors", {name: tensor}).name
    index = tmp_path / "unet" / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": names}))
    put.vae(tmp_path / "vae" / HALF)
    assert layouts.find(tmp_path).unet == index
    assert headers.read(index).tensors.keys() == tensors.keys()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"weight_map": {"conv_in.weight": "none.safetensors"}}', "none.safetensors"),
        ('{"weight_map": {"conv_in.weight": "../../secret"}}', "not beside it"),
        ('{"weight_map": {}}', "not beside it"),
        ('{"weight_map": 3}', "not an index"),
        ("[1", "not an index"),
    ],
)
def test_an_index_that_leads_nowhere(tmp_path, raises_with_hint, text, named):
    (tmp_path / "secret").write_text("no weights")
    index = tmp_path / "ck" / "unet" / "diffusion_pytorch_model.safetensors.index.json"
    index.parent.mkdir(parents=True)
    index.write_text(text)
    with raises_with_hint(WeightsError, index, named):
        layouts.find(tmp_path / "ck")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "cut short"),
        (b"\x10\0\0", "cut short"),
        (b"\x40\0\0\0\0\0\0\0{", "cut short inside its header"),
        (b"\xff" * 64, "not a safetensors file"),
        (b"\0" * 64, "not a safetensors file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 6100000000\n", "Git LFS pointer"),
        (b"<!DOCTYPE html><html><body>not found</body></html>", "web page"),
        (b"PK\x03\x04" + b"\0" * 60, "not a safetensors file"),
        (b"\x04\0\0\0\0\0\0\0{oh}", "header cannot be read"),
        (b"\x02\0\0\0\0\0\0\0[]", "header cannot be read"),
        (b'\x0f\0\0\0\0\0\0\0{"a":[1,2,"x"]}', "header cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("broken", ["unet", "vae"])
def test_files_that_are_no_safetensors(tmp_path, raises_with_hint, content, named, broken, put):
    put.unet(tmp_path / "unet" / PUBLISHED)
    put.vae(tmp_path / "vae" / PUBLISHED)
    path = tmp_path / broken / PUBLISHED
    path.write_bytes(content)
    with raises_with_hint(WeightsError, path, named):
        layouts.find(tmp_path)


@pytest.mark.parametrize(
    "row",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]},
        {"dtype": "F32", "shape": 1, "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1]},
        {"dtype": "F32", "shape": [float("inf")], "data_offsets": [0, 4]},
    ],
)
def test_rows_of_a_header_that_make_no_sense(tmp_path, raises_with_hint, row):
    content = json.dumps({"conv_in.weight": row}).encode()
    path = tmp_path / PUBLISHED
    path.write_bytes(len(content).to_bytes(8, "little") + content + bytes(4))
    with raises_with_hint(WeightsError, path, "cannot be read"):
        headers.read(path)


def test_bytes_too_many_are_noticed(tmp_path, raises_with_hint, put):
    path = put.unet(tmp_path / PUBLISHED)
    with path.open("ab") as file:
        file.write(b"more")
    with raises_with_hint(WeightsError, path, "too many"):
        headers.read(path)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(headers.CheckpointHeader) == {"shortfall": 0}
