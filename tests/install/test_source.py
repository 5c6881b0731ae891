from __future__ import annotations

import os
from pathlib import Path

import pytest
from failure import InstallError
from source import INDEX, Source

WHEELS = Source(Path("/wheels"), ("videomama",))


def test_an_index_leaves_pip_as_the_host_has_it() -> None:
    variables = {"PIP_INDEX_URL": "https://mirror", "PATH": "/bin"}
    assert INDEX.arguments() == []
    assert INDEX.adapt(variables) == variables
    INDEX.refuse_missing(("dev", "videomama"))


def test_a_folder_of_wheels_is_all_that_pip_sees() -> None:
    variables = {"PIP_INDEX_URL": "https://mirror", "pip_find_links": "/opt", "PATH": "/bin"}
    assert WHEELS.arguments() == ["--no-index", "--find-links", str(Path("/wheels"))]
    assert WHEELS.adapt(variables) == {"PATH": "/bin", "PIP_CONFIG_FILE": os.devnull}
    WHEELS.refuse_missing(("videomama",))


@pytest.mark.parametrize(
    ("source", "extra", "hint"), [(Source(Path("/w")), "videomama", "--with-model"), (WHEELS, "dev", "need a network")]
)
def test_extras_that_the_wheels_are_not_enough_for_are_refused(source: Source, extra: str, hint: str) -> None:
    with pytest.raises(InstallError, match=f"no packages for {extra}") as caught:
        source.refuse_missing((extra,))
    assert hint in caught.value.hint
