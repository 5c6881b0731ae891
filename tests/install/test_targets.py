from __future__ import annotations

import itertools
import sys

import pytest
from failure import InstallError
from interpreter import Interpreter
from targets import Target, here, target

PYTHON = Interpreter("/python", (3, 12, 1), "/env", "/usr", ("pip",), ("/env/lib",))


def test_this_machine() -> None:
    assert here(PYTHON) == Target(sys.platform, "3.12")


def test_a_target_is_named_as_people_name_it() -> None:
    assert str(Target("linux", "3.13")) == "Linux with Python 3.13"
    assert str(Target("win32", "3.11")) == "Windows with Python 3.11"
    assert str(Target("darwin", "3.12")) == "macOS with Python 3.12"


@pytest.mark.parametrize("python", ["3.10", "3.9", "2.7", "3", "3.11.2", "three", ""])
def test_a_python_that_the_server_does_not_run_on_is_refused(python: str) -> None:
    with pytest.raises(InstallError, match="no Python version that the server runs on") as caught:
        target("linux", python)
    assert "3.11" in caught.value.hint


def test_linux_takes_wheels_for_glibc_up_to_that_of_nuke() -> None:
    words = Target("linux", "3.11").pip_arguments()
    tags = [tag for word, tag in itertools.pairwise(words) if word == "--platform"]
    assert tags[0] == "manylinux_2_28_x86_64"
    assert {"manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_5_x86_64", "manylinux1_x86_64"} <= set(tags)
    assert words[-4:] == ["--python-version", "3.11", "--implementation", "cp"]
