from __future__ import annotations

from videomama_server.engines.edges import checkpoint


def test_stats_tell_a_file_from_another_in_its_place(tmp_path):
    path = tmp_path / "weights"
    path.write_bytes(b"a")
    before = checkpoint.stats([path])
    assert checkpoint.stats([path]) == before
    path.write_bytes(b"ab")
    assert checkpoint.stats([path]) != before


def test_the_folder_of_weights_is_that_around_a_file(tmp_path):
    path = tmp_path / "unet.safetensors"
    path.write_bytes(b"a")
    assert checkpoint.base_folder(path) == checkpoint.base_folder(tmp_path) == tmp_path
