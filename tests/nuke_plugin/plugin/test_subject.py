"""What a node says of its subjects becomes stages, prompts and objects of a job."""

from videomama_client.engine_options import EngineOption
from videomama_client.objects import MaskObject
from videomama_client.prompts import MASK, POINT, Prompt
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage
from videomama_nuke.subject import Subject, chain_of

OWN = MatteSettings("classic", mask_channel="A", window=8)
ADJUST = Stage("adjust", (EngineOption("grow", 2.0),))
CLICK = Prompt(POINT, 1, (1.0, 2.0))


def test_a_mask_input_alone_is_a_job_as_before():
    chain = chain_of(Subject(), OWN, (ADJUST,))
    assert (chain.settings, chain.then, chain.prompts, chain.objects) == (OWN, (ADJUST,), (), ())
    assert Subject().by_mask_input
    assert Subject().kept == {}


def test_a_maker_comes_first_and_the_engine_after_it():
    maker = Stage("sam2", (EngineOption("reanchor", True),))
    chain = chain_of(Subject(maker, (CLICK,)), OWN, (ADJUST,))
    assert (chain.settings.engine, chain.settings.engine_options, chain.settings.window) == (
        "sam2",
        maker.options,
        None,
    )
    assert chain.then == (Stage("classic", (), 8), ADJUST)
    assert chain.objects == ()


def test_a_painted_frame_is_the_mask_of_the_exported_frame():
    subject = Subject(Stage("held"), (Prompt(MASK, 1004),))
    assert chain_of(subject, OWN, (), "/e/source.%04d.exr").prompts == (Prompt(MASK, 1004, file="/e/source.1004.exr"),)
    assert subject.kept["prompts"][0]["file"] == ""


def test_an_object_with_a_mask_needs_no_maker():
    subject = Subject(Stage("sam2"), (Prompt(POINT, 1, (1.0, 2.0), object="dog"),), (("hero", "hero.alpha"),))
    chain = chain_of(subject, OWN, (ADJUST,), "/e/source.%04d.exr", {"hero.alpha": "/e/mask.%04d.exr"})
    assert chain.objects == (
        MaskObject("hero", "/e/mask.%04d.exr", mask_channel="A", stages=(Stage("classic", (), 8), ADJUST)),
        MaskObject("dog", ""),
    )
    assert subject.names == ("hero", "dog")


def test_absent_frames_are_a_setting_of_the_maker_or_of_an_object():
    alone = Subject(Stage("sam2"), (CLICK,), absent=(("", "3-4"),))
    assert chain_of(alone, OWN, ()).settings.option("absent") == "3-4"
    named = Subject(Stage("sam2"), (Prompt(POINT, 1, (1.0, 2.0), object="dog"),), absent=(("dog", "3-4"),))
    chain = chain_of(named, OWN, ())
    assert (chain.settings.option("absent"), chain.objects) == (None, (MaskObject("dog", "", absent="3-4"),))
