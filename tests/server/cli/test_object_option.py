"""The options of the command line that name objects."""

import click
import pytest
from click.testing import CliRunner
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput
from videomama_client.objects import MaskObject
from videomama_client.stages import Stage
from videomama_server.cli.object_option import object_stage_option, stage_words, with_stages
from videomama_server.cli.usage import WrongUse

KNOWN = (MaskObject("hero", "h.####.exr"), MaskObject("dog", "d.####.exr"))


@click.command()
@object_stage_option
def spoken(object_stages):
    click.echo("|".join(object_stages))


def test_it_is_repeatable_and_there_need_be_none():
    said = CliRunner().invoke(spoken, ["--object-stage", "hero=classic window=8", "--object-stage", "dog=adjust"])
    assert (said.exit_code, said.output) == (0, "hero=classic window=8|dog=adjust\n")
    assert CliRunner().invoke(spoken, []).output == "\n"


def test_an_object_has_the_stages_that_are_named_for_it_in_order():
    words = stage_words(["dog=classic quality=fast", "dog=adjust grow=2"], KNOWN)
    hero, dog = with_stages(None, KNOWN, words)  # no server is asked about engines of this project
    assert hero == KNOWN[0]
    assert dog.stages == (
        Stage("classic", (EngineOption("quality", "fast"),)),
        Stage("adjust", (EngineOption("grow", 2.0),)),
    )


@pytest.mark.parametrize("text", ["classic", "cat=classic", "=classic"])
def test_a_stage_of_nobody_is_refused(text, raises_with_hint):
    with raises_with_hint(WrongUse, "a stage of no object"):
        stage_words([text], KNOWN)


def test_a_stage_that_cannot_be_is_named_with_its_object(raises_with_hint):
    with raises_with_hint(BadInput, "object dog: stage 1, adjust"):
        with_stages(None, KNOWN, stage_words(["dog=adjust quality=fast"], KNOWN))
