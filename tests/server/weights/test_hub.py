"""One file from the hub: what is there of it is used, and what the disk says is told."""

from pathlib import Path

import pytest
from videomama_client.errors import NotPermitted, WeightsError
from videomama_server.weights import hub as hub_module
from videomama_server.weights.hub import Hub, Remote

REPO = "SammyLim/VideoMaMa"
UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def remote(hub) -> Remote:
    client = Hub(hub.endpoint)
    return client.describe(REPO, client.commit(REPO, "main"), UNET)


@pytest.fixture
def content(hub) -> bytes:
    return hub.files[REPO, UNET].read_bytes()


def test_a_branch_and_a_commit_are_both_a_commit(hub):
    assert Hub(hub.endpoint).commit(REPO, "main") == "a" * 40
    assert Hub(hub.endpoint).commit(REPO, "c" * 40) == "c" * 40


def test_what_is_said_of_a_file(remote, content, hub):
    assert (remote.size, len(remote.etag)) == (len(content), 64)
    assert remote.url == f"{hub.endpoint}/{REPO}/resolve/{'a' * 40}/{UNET}"
    assert hub.total() == 0


@pytest.mark.parametrize("there", [0, 1, 5_000_000])
def test_only_the_rest_is_sent(hub, remote, content, tmp_path, there):
    part = tmp_path / "part"
    part.write_bytes(content[:there])
    arrived = []
    Hub(hub.endpoint).fetch(remote, part, arrived.append)
    assert part.read_bytes() == content
    assert hub.sent[UNET] == len(content) - there
    assert arrived[-1] == len(content)
    assert arrived == sorted(arrived)


def test_a_file_that_is_all_there_is_not_asked_for(hub, remote, content, tmp_path):
    (tmp_path / "part").write_bytes(content)
    Hub(hub.endpoint).fetch(remote, tmp_path / "part", lambda _: None)
    assert hub.total() == 0


def test_a_part_that_is_too_long_is_begun_anew(hub, remote, content, tmp_path):
    (tmp_path / "part").write_bytes(content + b"x")
    Hub(hub.endpoint).fetch(remote, tmp_path / "part", lambda _: None)
    assert (tmp_path / "part").read_bytes() == content


def test_a_line_that_never_brings_anything_is_given_up(hub, remote, tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    hub.cut_after = [0] * 1000
    with pytest.raises(WeightsError, match="broke off") as caught:
        Hub(hub.endpoint).fetch(remote, tmp_path / "part", lambda _: None)
    assert "continues where it stopped" in caught.value.hint
    assert len(hub.cut_after) > 900


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_told(hub, remote, tmp_path):
    (tmp_path / "part").symlink_to("/dev/full")
    with pytest.raises(NotPermitted, match="disk is full") as caught:
        Hub(hub.endpoint).fetch(remote, tmp_path / "part", lambda _: None)
    assert "continues where it stopped" in caught.value.hint


def test_a_folder_that_is_gone_is_told(hub, remote, tmp_path):
    with pytest.raises(NotPermitted, match="cannot write"):
        Hub(hub.endpoint).fetch(remote, tmp_path / "none" / "part", lambda _: None)


@pytest.mark.parametrize("endpoint", ["nonsense", "ftp://hub.example", "http://"])
def test_an_address_that_makes_no_sense_is_told(hub, endpoint):
    with pytest.raises(WeightsError):
        Hub(endpoint).commit(REPO, "main")


def test_what_a_library_says_is_one_line_of_at_most_two_hundred_letters():
    assert hub_module._reason(OSError("  reset\n by   peer ")) == "reset by peer"
    assert hub_module._reason(TimeoutError()) == "TimeoutError"
    assert hub_module._reason(OSError("x" * 999)) == "x" * 200


def test_only_an_address_that_was_set_is_to_be_checked():
    assert Hub("http://hub.example")._place().startswith("HF_ENDPOINT is http://hub.example: check that it is a hub. ")
    assert "HF_ENDPOINT" not in Hub(None)._place()
    assert Hub(None)._place().endswith(hub_module._ELSEWHERE)


def test_what_ends_early_is_no_fault_of_the_disk():
    """The library tells of a file that ended early as an `OSError` without a number."""
    found = hub_module._disk_error("a/b", OSError("the file ended early"))
    assert isinstance(found, WeightsError)
    assert found.message == "the transfer of a/b broke off: the file ended early"
    assert "continues where it stopped" in found.hint
