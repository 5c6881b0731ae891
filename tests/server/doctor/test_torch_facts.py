"""What torch says of itself and its cards, from a torch that says what a test wants."""

import subprocess
import sys

import pytest
from videomama_server.asking import ask_python
from videomama_server.doctor import torch_facts

CARD = {"name": "NVIDIA L4", "free": 20, "total": 24}


@pytest.fixture
def facts(fake_torch):
    """Ask a torch as the doctor does: `facts(version="2.9.0", cuda="12.8", cards=[...])`."""

    def ask(**said):
        fake_torch(**said)
        return ask_python([torch_facts.__file__], 60)

    return ask


@pytest.mark.parametrize(
    ("build", "named"), [({"cuda": "12.8"}, "CUDA 12.8"), ({"hip": "6.4"}, "ROCm 6.4"), ({}, None)], ids=str
)
def test_what_it_was_built_for(facts, build, named):
    found = facts(version="2.9.0", cards=[CARD], **build)
    assert found["built_for"] == named
    assert found["version"] == "2.9.0"
    assert len(found["cards"]) == (1 if named else 0)  # a build for the CPU is not asked for cards


def test_a_card_that_computes_has_its_memory_and_no_problem(facts):
    assert facts(version="2", cuda="12", cards=[CARD])["cards"] == [{**CARD, "problem": ""}]


def test_of_two_cards_the_one_that_does_not_compute_says_why(facts):
    broken = {**CARD, "name": "K80", "error": "no kernel image\nmore of it"}
    good, bad = facts(version="2", cuda="12", cards=[CARD, broken])["cards"]
    assert good["problem"] == ""
    assert bad == {"name": "K80", "free": None, "total": 24, "problem": "no kernel image"}


def test_apples_gpu_is_a_card_too(facts):
    found = facts(version="2", apple={"total": 12})
    assert found["built_for"] == "Metal"
    assert found["cards"] == [{"name": "Apple GPU", "free": None, "total": 12, "problem": ""}]
    broken = facts(version="2", apple={"total": 12, "error": "no Metal\nmore"})
    assert broken["cards"][0]["problem"] == "no Metal"


def test_a_driver_that_does_not_begin_is_a_problem_of_all(facts):
    found = facts(version="2", cuda="12", init_error="\n  too old\nmore")
    assert (found["problem"], found["cards"]) == ("too old", [])


def test_a_torch_that_does_not_load_is_told_from_one_that_is_not_there(facts, tmp_path):
    assert facts(import_error="libcudnn.so.9: none") == {"missing": "libcudnn.so.9: none", "installed": True}
    code = "import sys; sys.modules['torch'] = None; import videomama_server.doctor.torch_facts as t; print(t.facts())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'installed': False" in said


def test_an_error_without_words_is_named_by_its_kind():
    assert torch_facts._first_line(RuntimeError()) == "RuntimeError"
