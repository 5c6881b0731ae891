"""A fetch against a hub on a real socket: interrupted, wrong, refused, repeated."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from videomama_client.errors import NotPermitted, WeightsError
from videomama_server.engines.videomama.checkpoint import layouts
from videomama_server.weights import catalogue, manifest
from videomama_server.weights.fetch import FetchOrder

UNET = "unet/diffusion_pytorch_model.safetensors"
VAE = "vae/diffusion_pytorch_model.fp16.safetensors"
PLACES = [wanted.place for _, wanted in catalogue.PUBLISHED.tasks()]


def content(folder):
    """Every file of a folder with its bytes, hidden ones left out."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def hidden(folder):
    return sorted(path.name for path in folder.rglob(".*") if path.name != ".videomama-weights.lock")


def size(hub, file):
    return next(path for (_, name), path in hub.files.items() if name == file).stat().st_size


def all_bytes(hub):
    return sum(path.stat().st_size for path in hub.files.values())


def test_the_four_files_come_and_nothing_else(bring, hub, weights, tiny_checkpoint):
    outcome = bring()
    assert outcome.fetched == hub.total() == all_bytes(hub)
    found = content(weights)
    assert sorted(found) == sorted([*PLACES, manifest.NAME])
    assert {place: found[place] for place in PLACES} == {
        place: (tiny_checkpoint / place).read_bytes() for place in PLACES
    }
    assert hidden(weights) == []
    assert layouts.find(weights).unet == weights / "VideoMaMa" / UNET
    assert any("conv_in.weight takes 12 channels" in line for line in outcome.lines)


def test_the_manifest_has_commit_size_and_digests(bring, hub, weights, tiny_checkpoint):
    bring()
    known = json.loads((weights / manifest.NAME).read_text())
    assert known["revisions"] == hub.heads
    rows = {row["path"]: row for row in known["files"]}
    assert sorted(rows) == sorted(PLACES)
    row = rows[f"VideoMaMa/{UNET}"]
    assert (row["source"], row["commit"]) == ("SammyLim/VideoMaMa", "a" * 40)
    assert row["size"] == (tiny_checkpoint / "VideoMaMa" / UNET).stat().st_size
    assert row["published"]
    assert len(row["sha256"]) == 64


def test_a_second_run_asks_the_hub_nothing(bring, hub, weights):
    bring()
    before = content(weights)
    hub.requests.clear()
    outcome = bring(accepted=False)
    assert (outcome.fetched, hub.requests) == (0, [])
    assert outcome.lines[0].startswith("nothing to do")
    assert content(weights) == before


def test_later_runs_stay_at_the_commit(bring, hub, weights):
    bring()
    (weights / "VideoMaMa" / UNET).unlink()
    hub.heads["SammyLim/VideoMaMa"] = "c" * 40
    with pytest.raises(WeightsError, match="no such file, commit or repository"):
        bring()
    assert f"/SammyLim/VideoMaMa/resolve/{'a' * 40}/{UNET}" in [path for _, path, _ in hub.requests]


@pytest.mark.parametrize("cuts", [[10_500_000], [11_000_000, 0, 200_000]])
def test_a_line_that_breaks_is_taken_up_in_the_same_run(bring, hub, weights, cuts, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 100_000)
    hub.cut_after = list(cuts)
    bring()
    assert hub.sent[UNET] < size(hub, UNET) + 200_000 * len(cuts)
    ranges = [headers["range"] for _, path, headers in hub.requests if "range" in headers and "storage" in path]
    assert len(ranges) == len(cuts)
    assert hidden(weights) == []


def test_a_killed_run_is_taken_up_by_the_next_one(bring, hub, weights, tiny_offer, tmp_path, eventually):
    hub.bytes_per_s = 4_000_000
    code = (
        "from pathlib import Path, PosixPath, WindowsPath\n"
        "from videomama_server.weights.catalogue import *\n"
        "from videomama_server.weights import fetch, digests\n"
        f"order = fetch.FetchOrder({tiny_offer!r}, {weights!r}, {tmp_path!r}, lambda: True, "
        f"endpoint={hub.endpoint!r})\n"
        "fetch.fetch(order, digests.silent, print)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        eventually(lambda: any(part.stat().st_size > 9e6 for part in weights.glob(".*.part")), "some of it is there")
        process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    assert not (weights / "VideoMaMa" / UNET).exists()
    (part,) = weights.glob(".*.part")
    there = part.stat().st_size
    with pytest.raises(WeightsError):
        layouts.find(weights)
    hub.bytes_per_s = 0
    eventually(lambda: not hub.sending, "the hub has noticed that nobody takes what it sends")
    hub.sent.clear()
    outcome = bring()
    # The config came before the kill; of the UNet only the rest is sent.
    assert hub.sent == {
        UNET: size(hub, UNET) - there,
        VAE: size(hub, VAE),
        "vae/config.json": size(hub, "vae/config.json"),
    }
    assert outcome.fetched == hub.total()
    assert hidden(weights) == []
    layouts.find(weights)


def test_a_hub_without_ranges_sends_all_again(bring, hub, weights, tiny_checkpoint):
    hub.ignores_range = True
    hub.cut_after = [12_000_000]
    bring()
    assert (weights / "VideoMaMa" / UNET).read_bytes() == (tiny_checkpoint / "VideoMaMa" / UNET).read_bytes()


@pytest.mark.parametrize("file", [UNET, VAE, "unet/config.json"])
def test_a_wrong_checksum_is_refused_and_nothing_of_it_stays(bring, hub, weights, file):
    hub.corrupt = {file}
    with pytest.raises(WeightsError, match="was thrown away") as caught:
        bring()
    assert file in caught.value.message
    place = next(wanted.place for _, wanted in catalogue.PUBLISHED.tasks() if wanted.file == file)
    assert not (weights / place).exists()
    assert hidden(weights) == []
    hub.corrupt = set()
    hub.sent.clear()
    bring()
    # What had come whole before it is not fetched again.
    assert hub.sent[file] == size(hub, file)
    assert ("unet/config.json" in hub.sent) == (file == "unet/config.json")


def test_content_that_was_never_published_is_refused_whatever_the_hub_says(bring, hub, weights, own_checkpoint):
    """The hub's own digests are right here: it is the pin that refuses."""
    path = own_checkpoint / "VideoMaMa" / UNET
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    hub.files["SammyLim/VideoMaMa", UNET] = path
    with pytest.raises(WeightsError, match="MD5"):
        bring()
    assert not (weights / "VideoMaMa" / UNET).exists()


def test_a_config_of_another_network_is_refused(bring, hub, weights, tmp_path):
    other = tmp_path / "config.json"
    other.write_text('{"_class_name": "UNet2DModel"}')
    hub.files["SammyLim/VideoMaMa", "unet/config.json"] = other
    with pytest.raises(WeightsError, match="describes UNet2DModel"):
        bring()
    assert not (weights / "VideoMaMa" / "unet" / "config.json").exists()


def test_too_little_disk_is_refused_before_a_byte_is_fetched(bring, hub, weights):
    hub.claimed = {UNET: 10**16}
    with pytest.raises(NotPermitted, match=r"GB free, and 10000000\.\d GB are needed .* nothing was written"):
        bring()
    assert hub.total() == 0
    assert [method for method, path, _ in hub.requests if "resolve" in path] == ["HEAD"] * 4
    assert not weights.exists()


def test_folding_counts_unless_it_is_done(bring, hub, weights, tiny_offer, tmp_path):
    huge = catalogue.Offer(tiny_offer.repositories, 10**16)
    with pytest.raises(NotPermitted, match="folded"):
        bring(offer=huge)
    assert hub.total() == 0
    (tmp_path / "cache" / "folded").mkdir(parents=True)
    (tmp_path / "cache" / "folded" / "abc-fp16.safetensors").touch()
    bring(offer=huge)


def test_a_licence_that_is_not_accepted_asks_the_hub_nothing(bring, hub, weights):
    with pytest.raises(NotPermitted, match="licence") as caught:
        bring(accepted=False)
    assert "--accept-licence" in caught.value.hint
    assert hub.requests == []
    assert not weights.exists()


@pytest.mark.parametrize("fault", ["shorter", "gone"])
def test_what_was_taken_away_is_fetched_again(bring, hub, weights, fault):
    bring()
    path = weights / "VideoMaMa" / UNET
    path.unlink() if fault == "gone" else path.write_bytes(b"short")
    hub.sent.clear()
    bring()
    assert hub.sent == {UNET: size(hub, UNET)}


def test_verify_finds_what_sizes_do_not_tell(bring, hub, weights):
    bring()
    path = weights / "VideoMaMa" / UNET
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "nothing to do" in bring().lines[0]
    hub.sent.clear()
    bring(verify=True)
    assert hub.sent == {UNET: size(hub, UNET)}
    assert path.read_bytes() == whole
    assert "all checksums are right" in bring(verify=True).lines[0]


def test_files_put_there_by_hand_are_taken_over(bring, hub, weights, tiny_checkpoint):
    target = weights / "VideoMaMa" / UNET
    target.parent.mkdir(parents=True)
    os.link(tiny_checkpoint / "VideoMaMa" / UNET, target)
    bring()
    assert UNET not in hub.sent
    assert VAE in hub.sent


def test_a_file_that_is_another_one_is_not_overwritten(bring, hub, weights):
    target = weights / "VideoMaMa" / UNET
    target.parent.mkdir(parents=True)
    target.write_bytes(b"mine")
    with pytest.raises(WeightsError, match="is in the way"):
        bring()
    assert target.read_bytes() == b"mine"
    assert hub.requests == []


def test_weights_of_another_layout_are_left_alone(bring, hub, weights, tiny_checkpoint):
    (weights / "unet").mkdir(parents=True)
    (weights / "vae").mkdir()
    for place in PLACES:
        source = tiny_checkpoint / place
        os.link(source, weights / source.parent.name / source.name)
    before = sorted(weights.rglob("*"))
    assert "nothing to do" in bring(accepted=False).lines[0]
    assert bring(accepted=False, verify=True).lines[0].endswith("as they were published")
    assert hub.requests == []
    assert sorted(weights.rglob("*")) == before


def test_weights_that_are_others_are_left_alone_and_named(bring, hub, weights, make_checkpoint):
    make_checkpoint("tiny", weights, seed=5)
    assert "nothing to do" in bring(accepted=False).lines[0]
    line = bring(accepted=False, verify=True).lines[0]
    assert "not the published files: diffusion_pytorch_model.safetensors" in line
    assert "checksums are right" not in line


def test_a_folder_that_cannot_be_made_is_told(bring, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotPermitted, match="cannot write") as caught:
        bring(weights=tmp_path / "file" / "weights")
    assert "--to DIR" in caught.value.hint


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_may_not_be_written_is_told(bring, hub, weights):
    weights.mkdir(parents=True)
    weights.chmod(0o500)
    with pytest.raises(NotPermitted, match="cannot write"):
        bring()
    assert hub.total() == 0


def test_a_disk_that_may_only_be_read_is_told(bring, hub, small_disk, make_read_only):
    disk = small_disk(128 * 1024)
    make_read_only(disk)
    with pytest.raises(NotPermitted, match="cannot write") as caught:
        bring(weights=disk / "weights")
    assert "--to DIR" in caught.value.hint
    assert hub.total() == 0


def test_two_at_once_fetch_once(bring, hub, weights, said, eventually):
    hub.bytes_per_s = 20_000_000
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(bring())) for _ in range(2)]
    for thread in threads:
        thread.start()
        eventually(lambda: list(weights.glob(".*.part")), "the first one fetches")
    for thread in threads:
        thread.join()
    assert hub.total() == all_bytes(hub)
    assert sorted(outcome.fetched for outcome in outcomes) == [0, all_bytes(hub)]
    assert sum("waiting for it" in line for line in said) == 1


def test_a_token_goes_to_the_hub_and_not_to_its_storage(bring, hub, monkeypatch):
    hub.gated = {"stabilityai/stable-video-diffusion-img2vid-xt"}
    with pytest.raises(WeightsError, match=r"does not give .* to everybody") as caught:
        bring()
    assert "HF_TOKEN" in caught.value.hint
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.requests.clear()
    bring()
    told = {path.split("/")[1] == "storage" for _, path, headers in hub.requests if "authorization" in headers}
    assert told == {False}


def test_progress_reaches_the_end_of_each_file(bring, hub):
    seen = {}
    bring(progress=lambda what, done, total: seen.update({what: (done, total)}))
    assert seen[UNET] == (size(hub, UNET),) * 2
    assert all(done == total for done, total in seen.values())


def test_a_hub_that_cannot_be_reached_is_told(bring, weights, monkeypatch):
    with pytest.raises(WeightsError, match="broke off") as caught:
        bring(endpoint="http://127.0.0.1:9")
    assert "HTTPS_PROXY" in caught.value.hint
    assert "--from" in caught.value.hint
    assert not weights.exists()


def test_a_proxy_is_used(bring, hub, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", hub.endpoint)
    bring(endpoint="http://hub.example")
    assert set(hub.proxied) == {"hub.example", f"localhost:{hub.port}"}


def test_a_proxy_that_is_not_there_is_named(bring, hub, weights, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with pytest.raises(WeightsError) as caught:
        bring(endpoint="http://hub.example")
    assert "through the proxy in HTTP_PROXY" in caught.value.hint
    assert not weights.exists()


def test_offline_is_told(bring, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE is set"):
        bring()


def test_what_is_no_hub_is_told(bring, hub, weights):
    hub.page = b"<html>Welcome to the hotel</html>"
    with pytest.raises(WeightsError, match="is not a hub") as caught:
        bring()
    assert f"HF_ENDPOINT is {hub.endpoint}" in caught.value.hint
    assert not weights.exists()


def test_a_repository_that_is_gone_is_told(bring, hub):
    hub.heads.clear()
    with pytest.raises(WeightsError, match="no such file, commit or repository"):
        bring()


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(FetchOrder) == {"verify": False}
