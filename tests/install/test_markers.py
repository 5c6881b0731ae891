from __future__ import annotations

import sys
from pathlib import Path

import pytest
from markers import Requirement, parse
from targets import Target

ROOT = Path(__file__).resolve().parents[2]
LINUX = Target("linux", "3.11").marker_variables()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("numpy", Requirement("numpy", frozenset(), "", "")),
        ("Markdown_It.py>=2.2.0", Requirement("markdown-it-py", frozenset(), "", "")),
        ("torch==2.13.0", Requirement("torch", frozenset(), "2.13.0", "")),
        ("a (==1.0)", Requirement("a", frozenset(), "1.0", "")),
        ("a!=1.0,==1.*", Requirement("a", frozenset(), "", "")),
        (
            "httpx [http2, SOCKS_5]<1 ; extra == 'x'",
            Requirement("httpx", frozenset(["http2", "socks-5"]), "", "extra == 'x'"),
        ),
    ],
)
def test_requirements_are_taken_apart(text: str, wanted: Requirement) -> None:
    assert parse(text) == wanted


def test_what_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="not a requirement"):
        parse("-e .")


@pytest.mark.parametrize(
    ("marker", "applies"),
    [
        ('python_version < "3.11"', False),
        ('python_version >= "3.9"', True),  # as text it would be smaller
        ('"3.9" < python_version', True),
        ('python_full_version == "3.11"', True),
        ('sys_platform == "win32"', False),
        ('sys_platform in "linux darwin"', True),
        ('sys_platform not in "linux darwin"', False),
        ('(os_name == "nt" or platform_machine == "x86_64") and python_version != "3.12"', True),
        ('platform_system == "Linux" and platform_machine == "aarch64"', False),
        ('implementation_name == "pypy"', False),
        ('extra == "dev"', False),
        ('extra == "Fast_IO"', True),
        ('python_version < "3.11" and extra == "fast-io"', False),
        ('python_version ~= "3.8"', True),  # not understood: taken along
        ('platform_release >= "20.0"', True),
        ("nonsense(", True),
    ],
)
def test_markers_are_true_or_false_of_the_other_machine(marker: str, applies: bool) -> None:
    assert parse(f"name; {marker}").applies(LINUX, ("fast-io",)) is applies


def test_the_pins_of_this_machine_are_those_that_pip_sees() -> None:
    packaging = pytest.importorskip("packaging.requirements")
    here = Target(sys.platform, f"{sys.version_info[0]}.{sys.version_info[1]}")
    lines = (ROOT / "install" / "constraints.txt").read_text().splitlines()
    for line in lines:
        if line and not line.startswith("#"):
            pin, wanted = parse(line), packaging.Requirement(line)
            assert str(wanted.specifier) == f"=={pin.version}"
            assert pin.applies(here.marker_variables()) is (wanted.marker is None or wanted.marker.evaluate())
