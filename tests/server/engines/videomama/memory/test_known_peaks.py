import json

import pytest
import torch
from videomama_server.engines.videomama.memory import known_peaks
from videomama_server.engines.videomama.memory.known_peaks import KnownPeaks


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights" / "peaks.json"


def opened(path):
    peaks = KnownPeaks()
    peaks.use(path)
    return peaks


def test_a_peak_is_found_by_who_comes_later(path):
    assert opened(path).find("decoder 4") is None
    opened(path).keep("decoder 4", 123)
    assert opened(path).find("decoder 4") == 123
    assert opened(path).find("decoder 8") is None


def test_without_a_file_peaks_are_kept_by_the_process():
    peaks = KnownPeaks()
    peaks.keep("unet", 5)
    assert peaks.find("unet") == 5
    assert KnownPeaks().find("unet") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"null"])
def test_a_damaged_file_counts_as_empty_and_is_written_again(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    peaks = opened(path)
    assert peaks.find("unet") is None
    peaks.keep("unet", 5)
    assert opened(path).find("unet") == 5


def test_what_is_no_peak_is_passed_over(path):
    opened(path).keep("unet", 5)
    kept = json.loads(path.read_text())
    path.write_text(json.dumps(dict.fromkeys(kept, "much")))
    assert opened(path).find("unet") is None


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path):
    (tmp_path / "file").touch()
    peaks = opened(tmp_path / "file" / "peaks.json")
    peaks.keep("unet", 5)
    assert peaks.find("unet") == 5


def test_every_file_of_the_network_decides_about_its_peaks(tmp_path, monkeypatch):
    monkeypatch.setattr(known_peaks.network, "__file__", str(tmp_path / "__init__.py"))
    found = []
    for name, content in (("unet.py", "a = 1"), ("vae.py", "b = 1"), ("unet.py", "a = 2"), ("notes.txt", "c")):
        (tmp_path / name).write_text(content)
        found.append(known_peaks._code.__wrapped__())
    assert len(set(found[:3])) == 3
    assert found[3] == found[2]


def test_another_torch_and_another_network_have_other_peaks(path, monkeypatch):
    opened(path).keep("unet", 5)
    monkeypatch.setattr(torch, "__version__", "99")
    assert opened(path).find("unet") is None
    monkeypatch.undo()
    monkeypatch.setattr(known_peaks, "_code", lambda: "other")
    assert opened(path).find("unet") is None


def test_a_file_that_grows_too_long_is_begun_again(path, monkeypatch):
    monkeypatch.setattr(known_peaks, "_MOST", 2)
    peaks = opened(path)
    for number in range(3):
        peaks.keep(f"{number}", 1 + number)
    assert [opened(path).find(f"{number}") for number in range(3)] == [None, None, 3]


def test_a_peak_is_kept_under_a_digest_of_what_it_is_of_and_of_the_code(path):
    opened(path).keep("unet", 5)
    (key,) = json.loads(path.read_text())
    assert (len(key), len(known_peaks._code())) == (32, 32)
    assert key == known_peaks._key("unet") != known_peaks._key("unet 2")


@pytest.mark.parametrize(("peak", "taken"), [(1, True), (0, False), (-5, False), (2.5, False), ("7", False)])
def test_a_peak_is_a_number_of_bytes(path, peak, taken):
    path.parent.mkdir()
    path.write_text(json.dumps({known_peaks._key("unet"): peak}))
    assert (opened(path).find("unet") is not None) == taken
