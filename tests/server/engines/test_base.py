from dataclasses import fields
from inspect import signature

from videomama_client.stages import ROLES
from videomama_server.config import Config
from videomama_server.engines.base import (
    PROTOCOL,
    Engine,
    EngineConfig,
    EngineKind,
    RegionRule,
    needs_device,
    role_of,
)

# Whoever changes what a studio's engine is asked raises PROTOCOL, and changes this and docs/own_engine.md.
# No release has version 1 yet.
ASKED = {
    EngineKind: {
        "runs_well": "config",
        "identity": "config",
        "shape": "settings",
        "options": "",
        "load": "config",
    },
    Engine: {
        "shape": "settings",
        "rule": "settings",
        "resolve": "settings size",
        "describe": "settings",
        "prepare": "frame settings",
        "refine": "prepared settings",
        "complete": "estimates prepared wanted settings",
        "finish": "completed prepared settings",
        "usage": "",
        "release": "",
    },
}


def test_engines_are_given_all_that_the_config_says_for_them(tmp_path):
    said = Config(
        weights=tmp_path / "weights",
        cache_dir=tmp_path / "cache",
        device="cpu",
        dtype="fp32",
        max_vram_gb=7.5,
        compile="off",
    )
    given = EngineConfig.of(said)
    for known in fields(EngineConfig):
        assert getattr(given, known.name) == getattr(said, known.name)
        assert getattr(given, known.name) != getattr(EngineConfig.of(Config()), known.name)


def test_what_engines_are_asked_stays_the_same_within_a_protocol_version():
    assert PROTOCOL == 1
    for protocol, asked in ASKED.items():
        methods = {name for name in vars(protocol) if callable(getattr(protocol, name)) and name[0] != "_"}
        assert methods == asked.keys()
        for name, arguments in asked.items():
            known = [argument for argument in signature(getattr(protocol, name)).parameters if argument != "self"]
            assert known == arguments.split()


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(RegionRule) == {
        "padding_share": 0.1,
        "padding_pixels": 48.0,
        "reach": 40.0,
        "multiple": 8,
        "minimum_gain": 0.0,
        "fixed": False,
    }
    assert numbers_left_out(EngineConfig) == {"max_vram_gb": 0.0}


def test_an_engine_says_its_part_in_a_chain_or_is_for_matting():
    class Own:
        role = "refiner"
        needs_device = True

    assert (role_of(Own), role_of(Own()), role_of(object())) == ("refiner", "refiner", "matting")
    assert (needs_device(Own), needs_device(object())) == (True, False)
    assert ROLES == ("maker", "matting", "refiner", "adjustment")
