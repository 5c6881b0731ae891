"""What a folder of weights holds already, looked at without a hub."""

import json
import shutil

import pytest
from videomama_client.errors import WeightsError
from videomama_server.weights import digests, manifest, state
from videomama_server.weights.catalogue import UNET_FOLDER, WantedFile
from videomama_server.weights.manifest import Manifest, ManifestRow

UNET = f"{UNET_FOLDER}/diffusion_pytorch_model.safetensors"


@pytest.fixture
def folder(own_checkpoint):
    """A folder with all weights, and without a manifest."""
    return own_checkpoint


@pytest.fixture
def look(folder, tiny_offer):
    return lambda verify=False: state.look(folder, tiny_offer, verify, digests.silent)


@pytest.fixture
def noted(folder, tiny_offer):
    """Write the manifest that a finished fetch leaves; `noted(commit="")` that of an import."""

    def write(commit="c" * 40):
        known = Manifest()
        for source, wanted in tiny_offer.tasks():
            path = folder / wanted.place
            found = digests.of_readable(path, digests.silent)
            origin = source.repo if commit else f"/mnt/old/{path.name}"
            known = known.with_row(
                ManifestRow(wanted.place, origin, commit, found.size, found.md5, found.sha256, bool(wanted.md5))
            )
        known.write(folder)

    return write


def test_an_empty_folder_misses_everything(tmp_path, tiny_offer):
    found = state.look(tmp_path, tiny_offer, False, digests.silent)
    assert (list(found.missing), found.note, found.manifest) == (tiny_offer.tasks(), "", Manifest())


def test_after_a_fetch_nothing_is_missing(look, noted, folder):
    noted()
    assert (look().missing, look().note) == ((), f"the weights in {folder} are there")


def test_a_file_of_another_size_is_missing_and_one_of_other_bytes_only_when_it_is_read(look, noted, folder):
    noted()
    content = bytearray((folder / UNET).read_bytes())
    content[-1] ^= 1
    (folder / UNET).write_bytes(content)
    assert look().missing == ()
    assert [wanted.place for _, wanted in look(verify=True).missing] == [UNET]
    (folder / UNET).write_bytes(content[:-1])
    assert [wanted.place for _, wanted in look().missing] == [UNET]


def test_an_import_that_is_whole_is_enough_and_says_where_it_came_from(look, noted, folder):
    noted(commit="")
    assert look(verify=True).note == f"the weights in {folder} are there, imported from /mnt/old"
    (folder / UNET).unlink()
    assert [wanted.place for _, wanted in look().missing] == [UNET]


def test_weights_without_a_manifest_are_left_alone_and_named(look, folder):
    assert look().note.startswith(f"weights in {folder} are there: {folder / UNET} and ")
    assert look(verify=True).note.endswith(", as they were published")


def test_weights_that_are_not_the_published_ones_are_named_when_they_are_read(look, folder, make_checkpoint, tmp_path):
    make_checkpoint("tiny", tmp_path / "other", seed=1)
    shutil.copy(tmp_path / "other" / UNET, folder / UNET)
    assert "not the published" not in look().note
    assert look(verify=True).note.endswith("; not the published files: diffusion_pytorch_model.safetensors")


def test_half_of_them_without_a_manifest_are_taken_over(look, folder, tiny_offer):
    shutil.rmtree(folder / "stable-video-diffusion-img2vid-xt")
    found = look()
    assert [wanted.place for _, wanted in found.missing] == [w.place for _, w in tiny_offer.tasks() if "vae" in w.place]
    assert found.note == ""
    assert found.manifest.files[UNET].commit == "unknown"
    assert found.manifest.files[UNET].published
    assert not found.manifest.files[f"{UNET_FOLDER}/config.json"].published


def test_a_file_in_the_way_is_named_with_what_to_do(look, folder):
    shutil.rmtree(folder / "stable-video-diffusion-img2vid-xt")
    (folder / UNET).write_bytes(b"something else")
    with pytest.raises(WeightsError, match=f"{folder / UNET} is in the way: .* has the MD5") as caught:
        look()
    assert "Move it away" in caught.value.hint


def test_nothing_is_changed_by_a_look(look, noted, folder):
    noted()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    look(verify=True)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_digests_that_the_hub_states_must_be_those_of_what_came(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    found = digests.of_readable(tmp_path / "file", digests.silent)
    for etag in ("", found.sha256, found.git, "some other kind of tag"):
        state.refuse_wrong(WantedFile("file", "file", md5=found.md5), found, etag)
    for etag in ("0" * 40, "0" * 64):
        with pytest.raises(WeightsError, match="another digest than the hub states"):
            state.refuse_wrong(WantedFile("file", "file"), found, etag)
    with pytest.raises(WeightsError, match="has the MD5"):
        state.refuse_wrong(WantedFile("file", "file", md5="0" * 32), found)


@pytest.mark.parametrize(
    ("text", "said"),
    [(json.dumps({"_class_name": "Other"}), "describes Other"), ("[]", "describes None"), ("{", "is not a config")],
)
def test_a_config_of_another_network_is_refused(tmp_path, text, said):
    path = tmp_path / "config.json"
    path.write_text(text)
    state.refuse_wrong_config(path, WantedFile("config.json", "x"))  # a file of weights describes nothing
    with pytest.raises(WeightsError, match=said):
        state.refuse_wrong_config(path, WantedFile("config.json", "x", network="UNet"))
    path.write_text(json.dumps({"_class_name": "UNet"}))
    state.refuse_wrong_config(path, WantedFile("config.json", "x", network="UNet"))


def test_a_row_is_true_of_a_file_of_its_size_or_its_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    found = digests.of_readable(tmp_path / "file", digests.silent)
    row = ManifestRow("file", "x", "", 3, found.md5, found.sha256, published=False)
    assert state.intact(tmp_path, row, verify=True)
    (tmp_path / "file").write_bytes(b"abd")
    assert state.intact(tmp_path, row, verify=False)
    assert not state.intact(tmp_path, row, verify=True)
    (tmp_path / "file").unlink()
    assert not state.intact(tmp_path, row, verify=False)
    assert manifest.read(tmp_path) == Manifest()
