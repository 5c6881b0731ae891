import pytest
from videomama_client.errors import WeightsError
from videomama_server.engines.runtime import packages


def test_packages_that_are_there_are_not_missed():
    assert packages.missing(("numpy", "no_such_package")) == ["no_such_package"]
    packages.require("vitmatte", ("numpy",), "edges")


def test_the_first_that_is_not_there_is_named_with_the_extra_that_has_it():
    with pytest.raises(WeightsError, match="the engine vitmatte needs the package no_such_package") as refused:
        packages.require("vitmatte", ("numpy", "no_such_package"), "edges")
    assert "install weights --with vitmatte" in refused.value.hint
    assert "`edges`" in refused.value.hint
