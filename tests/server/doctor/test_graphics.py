"""GPU, driver and torch: every way in which they fail to fit together has its own words and its fix."""

from types import SimpleNamespace

import pytest
from videomama_server.doctor import graphics
from videomama_server.doctor.graphics import Card, Driver, Graphics, Torch

L4 = {"name": "NVIDIA L4", "free": 20_000_000_000, "total": 24_000_000_000}
SMI = "NVIDIA L4, 550.54.15, 19000, 23034"


def by_name(lines):
    return {line.name: line for line in lines}


def test_a_gpu_that_torch_computes_on(fake_torch, fake_smi):
    fake_smi(SMI)
    fake_torch(version="2.9.0+cu128", cuda="12.8", cards=[L4])
    seen = graphics.examine()
    lines = by_name(seen.lines())
    assert seen.torch.computes
    assert [line.state for line in seen.lines()] == ["ok"] * 3
    assert lines["gpu"].what == "NVIDIA L4, driver 550.54.15"
    assert lines["torch"].what == "torch 2.9.0+cu128, built for CUDA 12.8, computes on the GPU"
    assert lines["gpu memory"].what == "NVIDIA L4: 20.0 GB of 24.0 GB are free"


def test_no_gpu_at_all(fake_torch, fake_smi):
    fake_smi(None)
    fake_torch(version="2.9.0+cpu")
    seen = graphics.examine()
    lines = by_name(seen.lines())
    assert (lines["gpu"].state, lines["torch"].state) == ("warning", "ok")
    assert "there is no nvidia-smi" in lines["gpu"].what
    assert "classic does without" in lines["gpu"].fix
    assert "gpu memory" not in lines
    assert not seen.torch.computes


def test_a_build_for_the_cpu_beside_a_gpu(fake_torch, fake_smi):
    fake_smi(SMI)
    fake_torch(version="2.9.0+cpu")
    lines = by_name(graphics.examine().lines())
    assert lines["torch"].state == "warning"
    assert "for the CPU alone, though there is a GPU" in lines["torch"].what
    assert "python install server" in lines["torch"].fix
    assert lines["gpu memory"].what == "NVIDIA L4: 19.9 GB of 24.2 GB are free"


def test_a_driver_that_is_too_old_for_the_build(fake_torch, fake_smi):
    fake_smi("NVIDIA L4, 450.10, 19000, 23034")
    fake_torch(version="2.9.0+cu128", cuda="12.8", init_error="The NVIDIA driver on your system is too old\nmore")
    line = by_name(graphics.examine().lines())["torch"]
    assert line.state == "warning"
    assert line.what.endswith("does not compute with driver 450.10: The NVIDIA driver on your system is too old")
    assert line.fix.startswith("Update the driver")


def test_a_card_that_the_build_has_no_code_for(fake_torch, fake_smi):
    fake_smi("Tesla K80, 470.1, 11000, 11441")
    card = {**L4, "name": "Tesla K80", "error": "CUDA error: no kernel image is available for execution"}
    fake_torch(version="2.9.0+cu128", cuda="12.8", cards=[card])
    seen = graphics.examine()
    assert not seen.torch.computes
    assert "no kernel image" in by_name(seen.lines())["torch"].what


def test_a_card_that_is_hidden_from_torch(fake_torch, fake_smi):
    fake_smi(SMI)
    fake_torch(version="2.9.0+cu128", cuda="12.8", cards=[])
    assert "CUDA_VISIBLE_DEVICES" in by_name(graphics.examine().lines())["torch"].what


def test_little_free_memory_is_a_warning(fake_torch, fake_smi):
    fake_smi(SMI)
    fake_torch(version="2.9.0+cu128", cuda="12.8", cards=[{**L4, "free": 1_500_000_000}])
    line = by_name(graphics.examine().lines())["gpu memory"]
    assert (line.state, line.what) == ("warning", "NVIDIA L4: 1.5 GB of 24.0 GB are free")


def test_a_gpu_of_another_make(fake_torch, fake_smi):
    fake_smi(None)
    fake_torch(version="2.9.0+rocm6.4", hip="6.4", cards=[L4])
    seen = graphics.examine()
    assert [line.state for line in seen.lines()] == ["ok"] * 3
    assert "built for ROCm 6.4" in by_name(seen.lines())["torch"].what


def test_apples_gpu_needs_no_driver(fake_torch, fake_smi):
    fake_smi(None)
    fake_torch(version="2.9.0", apple={"total": 12_000_000_000})
    seen = graphics.examine()
    assert [line.state for line in seen.lines()] == ["ok"] * 3
    assert "Apple GPU" in by_name(seen.lines())["gpu"].what
    assert seen.torch.computes


def test_a_torch_that_is_broken_or_dies(fake_torch, fake_smi):
    fake_smi(None)
    fake_torch(import_error="libcudnn.so.9: cannot open shared object file")
    line = by_name(graphics.examine().lines())["torch"]
    assert (line.state, "libcudnn.so.9" in line.what) == ("warning", True)
    fake_torch(dies=True)
    assert "ended with code 139" in by_name(graphics.examine().lines())["torch"].what


def test_no_torch_at_all():
    line = by_name(Graphics(Driver(problem="none"), Torch(problem="No module", installed=False)).lines())["torch"]
    assert line.what == "torch cannot be used: it is not installed"
    assert "python install server" in line.fix


@pytest.mark.parametrize(
    ("out", "code", "said"),
    [
        ("NVIDIA-SMI has failed because it couldn't communicate with the driver.", 9, "couldn't communicate"),
        ("", 0, "names no card"),
    ],
)
def test_an_nvidia_smi_that_sees_nothing(fake_torch, fake_smi, out, code, said):
    fake_smi(out, code)
    fake_torch(version="2.9.0+cpu")
    assert said in by_name(graphics.examine().lines())["gpu"].what


def test_an_nvidia_smi_that_hangs(fake_torch, fake_smi, monkeypatch):
    fake_smi("", hangs=True)
    fake_torch(version="2.9.0+cpu")
    monkeypatch.setattr(graphics, "_SMI_S", 0.1)
    assert "no answer within" in by_name(graphics.examine().lines())["gpu"].what


def test_memory_that_is_not_known(fake_torch, fake_smi):
    fake_smi("NVIDIA GB10, 580.1, [N/A], [N/A]")
    fake_torch(version="2.9.0+cpu")
    assert by_name(graphics.examine().lines())["gpu memory"].what == "NVIDIA GB10: what is free is not known"
    assert graphics.examine().driver.cards == (Card("NVIDIA GB10", None, None),)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Torch) == {"installed": True}


@pytest.mark.parametrize(("free", "state"), [(6_000_000_000, "ok"), (5_999_999_999, "warning"), (None, "ok")])
def test_six_gigabytes_of_free_memory_are_enough(free, state):
    assert graphics._memory(Card("L4", free, 24_000_000_000)).state == state


def test_memory_that_is_not_known_is_told_so():
    for free, total in ((None, 1), (1, None)):
        assert graphics._memory(Card("L4", free, total)).what == "L4: what is free is not known"
    assert (graphics._mebibytes("3"), graphics._mebibytes("[N/A]")) == (3 * 2**20, None)


def test_a_card_counts_where_nothing_is_wrong_with_it():
    assert not Torch(cards=(Card("L4", 1, 1, "too old"),)).computes
    assert Torch(cards=(Card("L4", 1, 1, "too old"), Card("L4", 1, 1))).computes


@pytest.mark.parametrize(
    ("code", "out", "said"),
    [
        (9, "a\nfailed", "nvidia-smi says: failed"),
        (0, "", "nvidia-smi names no card"),
        (0, "L4, 1, 2", "nvidia-smi names no card"),
    ],
)
def test_what_nvidia_smi_says_instead_of_cards_is_passed_on(monkeypatch, code, out, said):
    asked = []
    monkeypatch.setattr(graphics, "_nvidia_smi", lambda: "smi")
    answer = SimpleNamespace(code=code, out=out, err="")
    monkeypatch.setattr(graphics, "ask", lambda command, seconds: (asked.append((command[0], seconds)), answer)[1])
    assert graphics._driver().problem == said
    assert asked == [("smi", 20.0)]


def test_torch_is_given_two_minutes_to_be_imported(monkeypatch):
    asked = []

    def ask(words, seconds):
        asked.append(seconds)
        return {"missing": "no torch", "installed": False}

    monkeypatch.setattr(graphics, "ask_python", ask)
    assert graphics._torch() == Torch(problem="no torch", installed=False)
    assert asked == [120.0]
