"""Digests, against values that others computed."""

import subprocess

import pytest
from videomama_client.errors import WeightsError
from videomama_server.weights import digests


def test_of_known_content(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"hello\n")
    seen = []
    found = digests.of(path, lambda *row: seen.append(row), "unet")
    assert found == digests.Digests(
        6,
        "b1946ac92492d2347c6235b4d2611184",
        "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
        "ce013625030ba8dba906f756967f9e9ca394464a",
    )
    assert seen == [("checking unet", 6, 6)]


def test_of_several_chunks_as_git_has_it(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(bytes(range(256)) * 40_000)
    try:
        known = subprocess.run(["git", "hash-object", str(path)], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git here")
    assert digests.of(path).git == known.stdout.strip()


def test_progress_is_shown_every_four_mebibytes(tmp_path):
    path, seen = tmp_path / "a", []
    path.write_bytes(bytes(10_000_000))
    digests.of(path, lambda *row: seen.append(row), "unet")
    assert [done for _, done, _ in seen] == [1 << 22, 2 << 22, 10_000_000]


def test_of_nothing(tmp_path):
    (tmp_path / "a").touch()
    assert digests.of(tmp_path / "a").md5 == "d41d8cd98f00b204e9800998ecf8427e"


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    assert digests.of_readable(tmp_path / "file", digests.silent) == digests.of(tmp_path / "file", digests.silent)
    with pytest.raises(WeightsError, match=f"cannot read {tmp_path / 'none'}: No such file"):
        digests.of_readable(tmp_path / "none", digests.silent)
