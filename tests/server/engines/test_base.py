from dataclasses import fields
from inspect import signature

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_client.settings import MatteSettings, Resolved
from videomama_client.stages import ROLES
from videomama_server.config import Config
from videomama_server.engines.base import (
    PROTOCOL,
    Engine,
    EngineConfig,
    EngineKind,
    Loaded,
    PlainEngine,
    RegionRule,
    WindowShape,
    fits,
    licence_of,
    needs_device,
    role_of,
)
from videomama_server.engines.sequential import SequentialEngine

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
    Loaded: {
        "shape": "settings",
        "rule": "settings",
        "resolve": "settings size",
        "describe": "settings",
        "usage": "",
        "release": "",
    },
    Engine: {
        "prepare": "frame settings",
        "refine": "prepared settings",
        "complete": "estimates prepared wanted settings",
        "finish": "completed prepared settings",
    },
    SequentialEngine: {
        "absent": "settings",
        "encode": "frame settings",
        "begin": "brief settings",
        "step": "state number encoded settings",
        "export": "state",
        "restore": "kept brief settings",
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
        if known.name == "make_room":  # which the worker's shelf gives
            assert not given.make_room()
            continue
        if known.name == "others_hold":  # the same
            assert given.others_hold("cuda:0") == 0
            continue
        if known.name == "tell_loading":  # the same
            assert given.tell_loading(1, 2) is None
            continue
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
        "whole": False,
    }
    assert numbers_left_out(EngineConfig) == {"max_vram_gb": 0.0}


def test_an_engine_says_its_part_in_a_chain_or_is_for_matting():
    class Own:
        role = "refiner"
        needs_device = True

    assert (role_of(Own), role_of(Own()), role_of(object())) == ("refiner", "refiner", "matting")
    assert (needs_device(Own), needs_device(object())) == (True, False)
    assert not fits(object(), Resolved(MatteSettings()))  # where it cannot tell, it needs the device for itself
    Own.fits = lambda _, settings: settings.window is None
    assert fits(Own(), Resolved(MatteSettings()))
    assert ROLES == ("maker", "matting", "refiner", "adjustment")


class Plain(PlainEngine):
    name = "plain"
    protocol = 1
    fingerprint = "plain-1"
    window = WindowShape(3, 1)

    def prepare(self, frame, settings):
        return frame

    def refine(self, prepared, settings):
        return np.stack(prepared)


def test_an_engine_says_the_licence_of_its_weights_or_none():
    class Licensed:
        def licence(self, settings):
            return f"free for {settings.engine}"

    assert licence_of(Licensed(), MatteSettings.of(engine="own")) == "free for own"
    assert licence_of(object(), MatteSettings.of(engine="own")) == ""


def test_a_plain_engine_runs_anywhere_holds_nothing_and_leaves_alphas_as_they_are():
    engine, settings = Plain.load(EngineConfig.of(Config())), MatteSettings("plain")
    assert type(engine) is Plain
    assert Plain.runs_well(EngineConfig.of(Config())) is True
    assert Plain.identity(EngineConfig.of(Config())) == "plain"
    assert (Plain.shape(settings), Plain.options()) == (WindowShape(3, 1), ())
    assert (engine.rule(settings), engine.describe(settings)) == (RegionRule(), "")
    assert engine.resolve(settings, (64, 48)) == settings
    assert engine.complete(["a", "b", "c"], [], [2, 0], settings) == ["c", "a"]
    assert engine.finish("a", None, settings) == "a"
    assert (engine.usage(), engine.release()) == (None, None)
    with pytest.raises(BadInput, match="the engine plain has no option 'strength'"):
        engine.resolve(MatteSettings.of(engine="plain", strength=1.0), (64, 48))
