"""The licences of the weights that made an alpha, in its header and in the result."""

import OpenImageIO as oiio
import pytest
from videomama_client.prompts import POINT, Prompt
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.pipeline.order import LICENCE


class Licensed:
    """An engine that says a licence."""

    def __init__(self, *arguments, said="Apache-2.0"):
        super().__init__(*arguments)
        self.said = said

    def licence(self, settings):
        return self.said


@pytest.fixture
def licensed(remembering):
    """Return a maker and a matting engine with licences."""
    maker = type("Maker", (Licensed, remembering), {"name": "maker"})(said="SAM License")
    return maker, type("Matting", (Licensed, PassthroughEngine), {"name": "matting"})()


def said(path):
    return oiio.ImageInput.open(str(path)).spec().getattribute(LICENCE)


def headers(outcome):
    return {said(event.path) for event in outcome.frames.values()}


def test_an_alpha_says_the_licence_of_its_weights_however_it_is_delivered(bench, shot, licensed):
    for asked in ({}, {}, {"dtype": "half"}, {"layer": "matte"}):  # computed, cached, and converted twice
        made = bench.run(shot, licensed[1], **asked)
        assert headers(made) == {"matting: Apache-2.0"}
        assert made.done.stages[0].licence == "Apache-2.0"
    assert made.done.cached == 14


def test_a_later_stage_names_all_that_its_alpha_came_from(bench, shot, licensed):
    maker, matting = licensed
    click = (Prompt(POINT, 1001, (9.0, 9.0)),)
    made = bench.run(shot, maker, mask="", prompts=click, then=(PassthroughEngine(), matting))
    assert headers(made) == {"maker: SAM License; matting: Apache-2.0"}
    assert [stage.licence for stage in made.done.stages] == ["SAM License", "", "Apache-2.0"]
    made = bench.run(shot, maker, mask="", prompts=click)
    assert headers(made) == {"maker: SAM License"}


def test_where_nothing_is_known_the_header_says_nothing(bench, shot):
    made = bench.run(shot, PassthroughEngine(), then=(PassthroughEngine(),))
    assert headers(made) == {None}
    assert {said(entry) for entry in bench.cache.folder.glob("entries/*/*.exr")} == {None}
