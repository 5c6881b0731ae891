import pytest
from videomama_client.errors import WeightsError
from videomama_server.engines.runtime import packages as runtime_packages
from videomama_server.engines.segment import packages


def test_packages_that_are_there_are_enough():
    assert packages.missing() == []
    packages.require("sam2")


def test_packages_that_are_not_there_name_the_extra(monkeypatch):
    monkeypatch.setattr(runtime_packages, "find_spec", lambda name: None if name == "transformers" else object())
    with pytest.raises(WeightsError, match="the engine sam2 needs the package transformers") as caught:
        packages.require("sam2")
    assert "`segment`" in caught.value.hint
