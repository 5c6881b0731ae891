"""What a node remembers stays readable, and means the same, in later versions."""

import pytest
from videomama_client.engine_options import EngineOption
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage


@pytest.fixture
def record(nuke):
    from videomama_nuke import record

    return record


def test_the_key_of_a_refine_is_the_one_that_folders_already_have(record):
    """Another key here means that every node of every script has to be refined again."""
    defaults = {"mask_slack": 32.0, "trimap_erode": 10.0, "trimap_dilate": 40.0}  # of gizmo 1, which nodes keep
    key = record.result_key(MatteSettings.of(**defaults), "rgba.alpha", "1001-1010", "signature")
    assert key == "4e8debf8f19b618b"
    other = MatteSettings.of(engine="classic", quality="fast", window=8, roi="1,2,3,4", seed=7, **defaults)
    assert record.result_key(other, "rgba.alpha", "1001-1010", "signature") == "d5c4c6826ebe91ed"


def test_the_key_of_a_chain_is_the_one_that_folders_already_have(record):
    parts = MatteSettings(), "rgba.alpha", "1001-1010", "signature"
    grown, softer = (Stage("adjust", (EngineOption("grow", value),)) for value in (2.0, 3.0))
    keys = [record.result_key(*parts, then) for then in ((), (grown,), (softer,), (grown, softer), (softer, grown))]
    assert keys[0] == record.result_key(*parts)
    assert len(set(keys)) == len(keys)
    assert keys[1] == "0499650103e01c28"


def test_a_mask_quality_that_is_named_makes_another_key(record):
    keys = {
        record.result_key(MatteSettings.of(mask_quality=quality), "rgba.alpha", "1001-1010", "signature")
        for quality in ("auto", "exact", "good")
    }
    assert len(keys) == 3


def test_options_of_an_engine_make_another_key(record):
    plain, asked = MatteSettings(), MatteSettings(engine_options=(EngineOption("strength", 0.25),))
    keys = {record.result_key(settings, "rgba.alpha", "1001-1010", "signature") for settings in (plain, asked)}
    assert len(keys) == 2
