"""The manifest beside the weights: written, read again, and refused where it cannot be understood."""

import json

import pytest
from videomama_client.errors import WeightsError
from videomama_server.weights import manifest
from videomama_server.weights.manifest import Manifest, ManifestRow

ROW = ManifestRow("unet/model.safetensors", "hub/unet", "a" * 40, 12, "0" * 32, "1" * 64, published=True)
OWN = ManifestRow("vae/model.safetensors", "/mnt/weights", "", 7, "2" * 32, "3" * 64, published=False)


def test_what_was_written_reads_back(tmp_path):
    whole = Manifest().pinned("hub/unet", "a" * 40).with_row(ROW).with_row(OWN)
    whole.write(tmp_path)
    assert manifest.read(tmp_path) == whole
    content = json.loads((tmp_path / manifest.NAME).read_text())
    assert content["version"] == 1
    assert [row["path"] for row in content["files"]] == [ROW.path, OWN.path]


def test_a_file_takes_the_place_of_what_was_said_of_it_before():
    newer = ManifestRow(ROW.path, "hub/unet", "b" * 40, 13, "4" * 32, "5" * 64, published=True)
    assert Manifest().with_row(ROW).with_row(newer).files == {ROW.path: newer}


def test_files_without_a_commit_were_imported():
    assert Manifest().with_row(ROW).with_row(OWN).imported == [OWN]


def test_files_that_are_gone_are_left_out(tmp_path):
    (tmp_path / "vae").mkdir()
    (tmp_path / OWN.path).write_bytes(b"weights")
    assert Manifest({"hub": "a"}, {}).with_row(ROW).with_row(OWN).there(tmp_path) == Manifest(
        {"hub": "a"}, {OWN.path: OWN}
    )


def test_a_folder_without_one_has_an_empty_one(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path, tmp_path / "none", tmp_path / "file"):
        assert manifest.read(folder) == Manifest()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", '{"version": 2}', '{"version": 1, "files": [{"path": "x"}], "revisions": {}}', "[" * 99_999],
)
def test_one_that_cannot_be_understood_is_an_error_that_names_it(tmp_path, text):
    (tmp_path / manifest.NAME).write_text(text)
    with pytest.raises(WeightsError, match=f"cannot read {tmp_path / manifest.NAME}") as caught:
        manifest.read(tmp_path)
    assert "Delete it" in caught.value.hint
