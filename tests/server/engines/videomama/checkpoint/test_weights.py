"""Bad weights and what is said of them; digests and their notes; the folded file, its making and its mapping."""

import json
import math
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file
from videomama_client.errors import NotPermitted, WeightsError
from videomama_server.engines.videomama.checkpoint import checks, headers, layouts, published, weights

UNET_NAME = "VideoMaMa/unet/diffusion_pytorch_model.safetensors"
VAE_NAME = "stable-video-diffusion-img2vid-xt/vae/diffusion_pytorch_model.fp16.safetensors"


@pytest.fixture
def checkpoint(tiny_checkpoint):
    return layouts.find(tiny_checkpoint)


@pytest.fixture
def unet_file(own_checkpoint):
    return own_checkpoint / UNET_NAME


@pytest.fixture
def vae_file(own_checkpoint):
    return own_checkpoint / VAE_NAME


@pytest.fixture(scope="session")
def folded_once(tiny_checkpoint, tmp_path_factory):
    """Folded files by dtype name, for all tests: not to be changed."""
    folder = tmp_path_factory.mktemp("folded")
    found = layouts.find(tiny_checkpoint)
    return {name: weights.folded(found, folder, dtype) for name, dtype in weights.DTYPES.items()}


def change(path, **tensors):
    """Replace tensors of a file; None takes one away."""
    names = {name.replace("__", "."): tensor for name, tensor in tensors.items()}
    content = {**load_file(path), **names}
    path.unlink()
    save_file({name: tensor for name, tensor in content.items() if tensor is not None}, path)


def change_config(path, **values):
    config = path.parent / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), **values}))


def check(folder):
    weights.check(layouts.find(folder))


def age(path, seconds=60):
    """Make a file look old enough for its stat to be trusted."""
    moment = time.time() - seconds
    os.utime(path, (moment, moment))


def test_a_good_checkpoint_passes(checkpoint):
    weights.check(checkpoint)
    lines = list(checks.run(checkpoint, full=True))
    assert [line for line in lines if line.startswith("stored as")] == ["stored as F32", "stored as F16"]
    assert any("12 channels" in line for line in lines)
    assert [line for line in lines if "finite" in line] == lines[-2:]


def test_the_published_configs_describe_the_published_networks():
    unet = checks._wanted(Path("unet"), published.UNET_CLASS, published.PUBLISHED_UNET)
    vae = checks._wanted(Path("vae"), published.VAE_CLASS, published.PUBLISHED_VAE)
    assert sum(math.prod(shape) for shape in unet.values()) == 1_524_634_602
    assert 97.5e6 < sum(math.prod(shape) for shape in vae.values()) < 97.9e6
    assert unet["conv_in.weight"] == (320, 12, 3, 3)


@pytest.mark.parametrize("name", [UNET_NAME, VAE_NAME])
@pytest.mark.parametrize("bytes_left", [-1, 400_000])
def test_a_truncated_file(own_checkpoint, raises_with_hint, name, bytes_left):
    path = own_checkpoint / name
    os.truncate(path, bytes_left % path.stat().st_size)
    with raises_with_hint(WeightsError, path, "cut short", "bytes are missing"):
        check(own_checkpoint)


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.int8, torch.int64, torch.float8_e4m3fn], ids=lambda dtype: str(dtype)[6:]
)
def test_a_dtype_that_is_not_read(own_checkpoint, unet_file, raises_with_hint, dtype):
    change(unet_file, conv_out__bias=torch.ones(4).to(dtype))
    with raises_with_hint(WeightsError, unet_file, "conv_out.bias", "type that is not read"):
        check(own_checkpoint)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_read(own_checkpoint, unet_file, dtype):
    content = {name: tensor.to(dtype) for name, tensor in load_file(unet_file).items()}
    unet_file.unlink()
    save_file(content, unet_file)
    check(own_checkpoint)


def test_missing_tensors(own_checkpoint, unet_file, raises_with_hint):
    change(unet_file, conv_out__bias=None, conv_norm_out__weight=None)
    with raises_with_hint(WeightsError, unet_file, "misses 2 tensors", "conv_out.bias", "conv_norm_out.weight"):
        check(own_checkpoint)


def test_unexpected_tensors(own_checkpoint, vae_file, raises_with_hint):
    change(vae_file, post_quant_conv__weight=torch.zeros(4, dtype=torch.float16))
    with raises_with_hint(WeightsError, vae_file, "unexpected 1 tensors", "post_quant_conv.weight"):
        check(own_checkpoint)


def test_many_missing_tensors_are_counted_and_not_all_named(own_checkpoint, unet_file):
    content = {name: tensor for name, tensor in load_file(unet_file).items() if "temporal" not in name}
    unet_file.unlink()
    save_file(content, unet_file)
    with pytest.raises(WeightsError, match=r"misses \d{3} tensors") as caught:
        check(own_checkpoint)
    assert len(caught.value.message) < 500


def test_another_shape(own_checkpoint, unet_file, raises_with_hint):
    change(unet_file, conv_out__bias=torch.zeros(5))
    with raises_with_hint(WeightsError, unet_file, "another shape", "conv_out.bias [5] in place of [4]"):
        check(own_checkpoint)


def test_svds_own_unet_named_directly(checkpoint, own_checkpoint, unet_file, raises_with_hint):
    change(unet_file, conv_in__weight=torch.zeros(32, 8, 3, 3))
    with raises_with_hint(WeightsError, unet_file, "8 channels"):
        check(own_checkpoint)
    with raises_with_hint(WeightsError, unet_file, "8 channels"):
        weights.check(replace(checkpoint, unet=unet_file))


def test_another_width_of_added_ids(own_checkpoint, unet_file, raises_with_hint):
    change(unet_file, add_embedding__linear_1__weight=torch.zeros(128, 512))
    with raises_with_hint(WeightsError, unet_file, "768", "512"):
        check(own_checkpoint)


@pytest.mark.parametrize("factor", [0.13025, None, "0.18215", math.nan])
def test_another_scaling_of_latents(own_checkpoint, vae_file, raises_with_hint, factor):
    change_config(vae_file, scaling_factor=factor)
    with raises_with_hint(WeightsError, vae_file, str(factor), "0.18215"):
        check(own_checkpoint)


@pytest.mark.parametrize(
    "values",
    [{"block_out_channels": [32]}, {"block_out_channels": "wide"}, {"down_block_types": ["Nonsense"] * 4}],
    ids=["short", "text", "unknown"],
)
def test_a_config_of_no_network(own_checkpoint, unet_file, raises_with_hint, values):
    change_config(unet_file, **values)
    with raises_with_hint(WeightsError, unet_file.parent / "config.json", "describes no network"):
        check(own_checkpoint)


def to_pickle(path, content, **options):
    """Put a pickle in the place of a safetensors file."""
    pickle = path.with_name("diffusion_pytorch_model.bin")
    torch.save(content, pickle, **options)
    path.unlink()
    return pickle


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_pickle_of_nothing_but_tensors_is_the_same_as_safetensors(
    own_checkpoint, unet_file, tmp_path, folded_once, zipped
):
    to_pickle(unet_file, load_file(unet_file), _use_new_zipfile_serialization=zipped)
    path = weights.folded(layouts.find(own_checkpoint), tmp_path, torch.bfloat16)
    one, other = load_file(path), load_file(folded_once["bf16"])
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


class Trap:
    def __reduce__(self):
        return (os.system, ("touch sprung",))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_pickle_with_code_in_it_is_refused_and_not_run(
    own_checkpoint, unet_file, tmp_path, monkeypatch, raises_with_hint, zipped
):
    monkeypatch.chdir(tmp_path)
    pickle = to_pickle(unet_file, {"conv_in.weight": Trap()}, _use_new_zipfile_serialization=zipped)
    with raises_with_hint(WeightsError, pickle, "cannot be opened safely"):
        check(own_checkpoint)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [[1, 2], {"state_dict": {}}, {"a": 3}], ids=["list", "nested", "number"])
def test_a_pickle_of_something_else(own_checkpoint, unet_file, raises_with_hint, content):
    pickle = to_pickle(unet_file, content)
    with raises_with_hint(WeightsError, pickle, "something other"):
        check(own_checkpoint)


def test_a_pickle_that_is_damaged(own_checkpoint, unet_file):
    pickle = to_pickle(unet_file, load_file(unet_file))
    os.truncate(pickle, 100_000)
    with pytest.raises(WeightsError, match="cannot be opened safely") as caught:
        check(own_checkpoint)
    assert "safetensors" in caught.value.hint


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", [UNET_NAME, VAE_NAME])
def test_values_that_are_not_finite(own_checkpoint, tmp_path, raises_with_hint, name, value):
    path = own_checkpoint / name
    tensor = "conv_norm_out.bias" if name == UNET_NAME else "encoder.conv_norm_out.bias"
    bias = load_file(path)[tensor]
    bias[3] = value
    change(path, **{tensor: bias})
    found = layouts.find(own_checkpoint)
    weights.check(found)
    with raises_with_hint(WeightsError, path, "NaN or infinity", tensor):
        list(checks.run(found, full=True))
    with raises_with_hint(WeightsError, path, "NaN or infinity", tensor):
        weights.folded(found, tmp_path / "folded", torch.bfloat16)
    assert not list((tmp_path / "folded").glob("*.safetensors"))


def test_values_too_large_for_fp16(own_checkpoint, unet_file, tmp_path, raises_with_hint):
    change(unet_file, conv_norm_out__bias=torch.full((32,), 1e5))
    found = layouts.find(own_checkpoint)
    with raises_with_hint(WeightsError, unet_file, "too large for F16"):
        weights.folded(found, tmp_path, torch.float16)
    assert weights.folded(found, tmp_path, torch.bfloat16).exists()


def test_shards_and_merged_files_fold_to_the_same(own_checkpoint, unet_file, vae_file, tmp_path, folded_once):
    unet, vae = load_file(unet_file), load_file(vae_file)
    merged = tmp_path / "merged" / "merged.safetensors"
    merged.parent.mkdir()
    parts = {f"model.diffusion_model.{name}": tensor for name, tensor in unet.items()}
    save_file(parts | {f"first_stage_model.{name}": tensor for name, tensor in vae.items()}, merged)
    found = replace(
        layouts.find(merged),
        unet_config=layouts.find(own_checkpoint).unet_config,
        vae_config=layouts.find(own_checkpoint).vae_config,
    )
    half = len(unet) // 2
    names = {name: f"{index > half}.safetensors" for index, name in enumerate(unet)}
    for file in set(names.values()):
        save_file({name: unet[name] for name in unet if names[name] == file}, unet_file.with_name(file))
    unet_file.unlink()
    unet_file.with_name(f"{unet_file.name}.index.json").write_text(json.dumps({"weight_map": names}))
    expected = load_file(folded_once["bf16"])
    for checkpoint in (found, layouts.find(own_checkpoint)):
        path = weights.folded(checkpoint, tmp_path / "folded", torch.bfloat16)
        assert all(torch.equal(tensor, expected[name]) for name, tensor in load_file(path).items())
    assert len(list((tmp_path / "folded").glob("*.safetensors"))) == 2


def test_a_truncated_shard_is_named(own_checkpoint, unet_file, raises_with_hint):
    names = dict.fromkeys(load_file(unet_file), "whole.safetensors")
    shard = unet_file.rename(unet_file.with_name("whole.safetensors"))
    unet_file.with_name(f"{unet_file.name}.index.json").write_text(json.dumps({"weight_map": names}))
    check(own_checkpoint)
    os.truncate(shard, shard.stat().st_size - 10)
    with raises_with_hint(WeightsError, shard, "10 bytes"):
        check(own_checkpoint)


def test_the_digest_is_of_bytes_and_configs_and_not_of_names(own_checkpoint, unet_file, vae_file, tmp_path):
    def digest():
        return weights.source_digest(layouts.find(own_checkpoint), tmp_path / "notes")

    first = digest()
    assert len(first) == 64
    unet_file.rename(unet_file.with_name("videomama.safetensors"))
    assert digest() == first
    unet_file.with_name("videomama.safetensors").rename(unet_file)
    change_config(unet_file, _name_or_path="elsewhere")
    assert digest() == first
    change_config(unet_file, num_frames=14)
    second = digest()
    assert second != first
    change(vae_file, quant_conv__bias=torch.zeros(8, dtype=torch.float16))
    third = digest()
    assert third not in (first, second)
    change(unet_file, conv_out__bias=torch.zeros(4))
    assert digest() not in (first, second, third)


def test_a_file_of_the_same_stat_is_not_read_again(own_checkpoint, unet_file, vae_file, tmp_path, monkeypatch):
    found, notes = layouts.find(own_checkpoint), tmp_path / "notes"
    unet_file.touch()
    vae_file.touch()
    first = weights.source_digest(found, notes)
    assert not notes.exists()  # the files are too young for their stat to be trusted
    age(unet_file)
    age(vae_file)
    assert weights.source_digest(found, notes) == first
    assert len(list(notes.glob("*.json"))) == 2
    read, digest = [], weights._bytes_digest
    monkeypatch.setattr(weights, "_bytes_digest", lambda path: read.append(path) or digest(path))
    assert weights.source_digest(found, notes) == first
    assert read == []
    age(unet_file, 30)
    assert weights.source_digest(found, notes) == first
    assert read == [unet_file]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "[1, 2]", "\0" * 40])
def test_damaged_notes_are_not_believed(own_checkpoint, unet_file, vae_file, tmp_path, text):
    found, notes = layouts.find(own_checkpoint), tmp_path / "notes"
    age(unet_file)
    age(vae_file)
    first = weights.source_digest(found, notes)
    for note in notes.glob("*.json"):
        note.write_text(text)
    assert weights.source_digest(found, notes) == first
    assert all(json.loads(note.read_text()) for note in notes.glob("*.json"))


def test_a_note_with_another_digest_is_not_believed_when_it_is_none(own_checkpoint, unet_file, vae_file, tmp_path):
    found = layouts.find(own_checkpoint)
    age(unet_file)
    age(vae_file)
    first = weights.source_digest(found, tmp_path / "notes")
    for note in (tmp_path / "notes").glob("*.json"):
        note.write_text(json.dumps([*json.loads(note.read_text())[:-1], "short"]))
    assert weights.source_digest(found, tmp_path / "notes") == first


def test_notes_that_cannot_be_written_cost_nothing_but_time(own_checkpoint, unet_file, vae_file, tmp_path, caplog):
    age(unet_file)
    age(vae_file)
    (tmp_path / "notes").write_text("a file in the way")
    assert weights.source_digest(layouts.find(own_checkpoint), tmp_path / "notes")
    assert "was not noted" in caplog.text


def test_a_file_that_went_away(checkpoint, tmp_path, raises_with_hint):
    gone = replace(checkpoint, unet=tmp_path / "gone.safetensors")
    with raises_with_hint(WeightsError, gone.unet):
        weights.source_digest(gone, tmp_path)
    with raises_with_hint(WeightsError, gone.unet):
        weights.check(gone)


@pytest.mark.parametrize("name", weights.DTYPES)
def test_the_folded_file(checkpoint, folded_once, name):
    path = folded_once[name]
    header = headers.read(path)
    digest = weights.source_digest(checkpoint, path.parent)
    assert path.name == f"{digest[:20]}-v{weights.FOLDING_VERSION}-{name}.safetensors"
    assert header.metadata["source"] == digest
    assert header.metadata["version"] == str(weights.FOLDING_VERSION)
    assert json.loads(header.metadata["shape"])["inputs"] == 12
    assert {info.dtype for info in header.tensors.values()} == {weights._SPELLING[weights.DTYPES[name]]}
    sizes = (checkpoint.unet.stat().st_size + 2 * checkpoint.vae.stat().st_size) / 4
    assert path.stat().st_size < sizes * weights.DTYPES[name].itemsize


@pytest.mark.parametrize("name", weights.DTYPES)
def test_loading_gives_the_network(folded_once, name):
    network = weights.load(folded_once[name])
    assert network.weights_dtype == weights.DTYPES[name]
    assert not network.training
    tensors = [*network.parameters(), *network.buffers()]
    assert not any(tensor.is_meta or tensor.requires_grad for tensor in tensors)
    stored = load_file(folded_once[name])
    assert all(torch.equal(tensor, stored[name]) for name, tensor in network.state_dict().items())


def test_large_tensors_lie_aligned(folded_once):
    network = weights.load(folded_once["bf16"])
    large = [tensor for tensor in network.parameters() if tensor.nbytes % 64 == 0]
    assert large
    assert all(tensor.data_ptr() % 64 == 0 for tensor in large)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="maps are read from /proc")
def test_weights_are_mapped_and_not_copied(folded_once):
    network = weights.load(folded_once["fp32"])
    maps = [entry for entry in psutil.Process().memory_maps(grouped=False) if entry.path == str(folded_once["fp32"])]
    spans = [tuple(int(end, 16) for end in entry.addr.split("-")) for entry in maps]
    outside = [
        name
        for name, tensor in network.state_dict().items()
        if not any(low <= tensor.data_ptr() < high for low, high in spans)
    ]
    assert outside == []


def test_folding_is_done_once(checkpoint, tmp_path, monkeypatch):
    path = weights.folded(checkpoint, tmp_path, torch.float16)
    made = path.stat().st_mtime_ns
    monkeypatch.setattr(weights, "fold", None)
    assert weights.folded(checkpoint, tmp_path, torch.float16) == path
    assert path.stat().st_mtime_ns == made


def test_another_version_of_folding_has_a_file_of_its_own(checkpoint, tmp_path, monkeypatch):
    first = weights.folded(checkpoint, tmp_path, torch.float16)
    monkeypatch.setattr(weights, "FOLDING_VERSION", weights.FOLDING_VERSION + 1)
    second = weights.folded(checkpoint, tmp_path, torch.float16)
    assert first != second
    assert first.exists()


def test_other_weights_have_a_file_of_their_own(make_checkpoint, checkpoint, tmp_path, folded_once):
    make_checkpoint("tiny", tmp_path / "other", seed=1)
    path = weights.folded(layouts.find(tmp_path / "other"), tmp_path, torch.bfloat16)
    assert path.name != folded_once["bf16"].name


def test_the_same_weights_fold_to_the_same_bytes(checkpoint, tmp_path, folded_once):
    path = weights.folded(checkpoint, tmp_path, torch.bfloat16)
    assert path.read_bytes() == folded_once["bf16"].read_bytes()


@pytest.mark.parametrize("bytes_left", [0, 5, 1000, -1])
def test_a_damaged_folded_file_is_made_again(checkpoint, tmp_path, folded_once, caplog, bytes_left):
    path = tmp_path / folded_once["fp16"].name
    path.write_bytes(folded_once["fp16"].read_bytes()[:bytes_left])
    assert weights.folded(checkpoint, tmp_path, torch.float16) == path
    assert path.read_bytes() == folded_once["fp16"].read_bytes()
    assert "made again" in caplog.text


def test_loading_something_else(checkpoint, folded_once, tmp_path, raises_with_hint):
    with raises_with_hint(WeightsError, checkpoint.unet, "cannot be used"):
        weights.load(checkpoint.unet)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(folded_once["fp16"].read_bytes()[:-1])
    with raises_with_hint(WeightsError, cut, "cut short"):
        weights.load(cut)
    older = tmp_path / "older.safetensors"
    content = load_file(folded_once["fp16"])
    content.popitem()
    save_file(content, older, dict(headers.read(folded_once["fp16"]).metadata))
    with raises_with_hint(WeightsError, older, "Missing key"):
        weights.load(older)


def test_what_a_killed_process_left_is_removed(checkpoint, tmp_path):
    left = tmp_path / ".videomama-0123.safetensors"
    left.write_bytes(b"half")
    path = weights.folded(checkpoint, tmp_path, torch.float16)
    assert [file.name for file in tmp_path.glob("*.safetensors")] == [path.name]
    assert not left.exists()


def test_too_little_room_is_said_before_anything_is_read(checkpoint, small_disk, monkeypatch, raises_with_hint):
    folder = small_disk(1024)
    monkeypatch.setattr(weights, "fold", None)
    with raises_with_hint(NotPermitted, f"the disk of {folder} has", "for what the model is folded into"):
        weights.folded(checkpoint, folder, torch.bfloat16)
    assert not list(folder.glob("*.safetensors"))


def test_a_disk_that_becomes_full_leaves_nothing(checkpoint, small_disk, monkeypatch, raises_with_hint):
    folder = small_disk(1024)
    monkeypatch.setattr(weights, "_check_room", lambda *_: None)
    with raises_with_hint(NotPermitted, folder, "cannot be written"):
        weights.folded(checkpoint, folder, torch.bfloat16)
    assert not list(folder.glob("*.safetensors"))


def test_a_folder_that_cannot_be_written(
    checkpoint, tmp_path, folded_once, small_disk, make_read_only, raises_with_hint
):
    folder = small_disk(128 * 1024)
    path = weights.folded(checkpoint, folder, torch.bfloat16)
    make_read_only(folder)
    assert weights.folded(checkpoint, folder, torch.bfloat16) == path
    assert weights.load(path).weights_dtype == torch.bfloat16
    with raises_with_hint(NotPermitted, folder, "cannot be written"):
        weights.folded(checkpoint, folder, torch.float16)


def test_ready_weights_are_loaded_without_diffusers(folded_once):
    code = "import sys; from pathlib import Path; from videomama_server.engines.videomama.checkpoint import weights\n"
    code += "weights.load(Path(sys.argv[1])); sys.exit('diffusers' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, str(folded_once["fp16"])]
    assert subprocess.run(command, env=environment, check=False).returncode == 0


def test_threads_that_fold_at_once_make_one_file(checkpoint, tmp_path):
    with ThreadPoolExecutor(3) as pool:
        paths = list(pool.map(lambda _: weights.folded(checkpoint, tmp_path, torch.bfloat16), range(3)))
    assert len(set(paths)) == 1
    assert weights.load(paths[0])


FOLD = """
import sys, torch, logging
from pathlib import Path
from videomama_server.engines.videomama.checkpoint import layouts, weights
logging.basicConfig(level=logging.INFO, format="%(message)s")
print(weights.folded(layouts.find(Path(sys.argv[1])), Path(sys.argv[2]), torch.bfloat16))
"""


@pytest.mark.slow
def test_processes_that_fold_at_once_make_one_file(tiny_checkpoint, tmp_path, folded_once):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", FOLD, str(tiny_checkpoint), str(tmp_path)]
    running = [
        subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert said[0][0] == said[1][0]
    assert sum(errors.count("folded ") for _, errors in said) == 1
    path = tmp_path / folded_once["bf16"].name
    assert path.read_bytes() == folded_once["bf16"].read_bytes()
    assert [file.name for file in tmp_path.glob("*.safetensors")] == [path.name]
