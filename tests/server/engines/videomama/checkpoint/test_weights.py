"""Digests and their notes; the folded file, its making and its mapping."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file
from videomama_client.errors import NotPermitted, WeightsError
from videomama_server.engines.videomama.checkpoint import headers, layouts, weights
from videomama_server.files import settling


def age(path, seconds=60):
    """Make a file look old enough for its stat to be trusted."""
    moment = time.time() - seconds
    os.utime(path, (moment, moment))


def test_values_too_large_for_fp16(own_checkpoint, unet_file, tmp_path, raises_with_hint, change):
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


def test_the_digest_is_of_bytes_and_configs_and_not_of_names(
    own_checkpoint, unet_file, vae_file, tmp_path, change, change_config
):
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


def test_files_that_were_young_when_they_were_read_are_not_noted(
    own_checkpoint, unet_file, vae_file, tmp_path, monkeypatch
):
    real = weights._bytes_digest

    def slow(path):
        time.sleep(settling.SETTLED_S + 0.1)
        return real(path)

    monkeypatch.setattr(weights, "_bytes_digest", slow)
    for path in (unet_file, vae_file):
        age(path, 0)
    weights.source_digest(layouts.find(own_checkpoint), tmp_path / "notes")
    found = [json.loads(note.read_text())[0] for note in (tmp_path / "notes").glob("*.json")]
    assert str(unet_file.resolve()) not in found


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
