import pytest
from videomama_client.errors import BadInput
from videomama_client.messages import SideResult
from videomama_client.settings import MatteSettings
from videomama_server.foreground import Colouring
from videomama_server.media.delivery import COLOUR
from videomama_server.pipeline import side_kinds

ASKED = SideResult("foreground", "/out/fg.####.exr")


def test_the_foreground_is_made_in_the_colour_space_that_the_job_settled_on():
    kind = side_kinds.kind_of(ASKED)
    assert kind.content is COLOUR
    made = kind.step(SideResult("foreground", "f", premultiplied=True), MatteSettings(colorspace="ACEScg"))
    assert made == Colouring("ACEScg", premultiplied=True)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([SideResult("shadow", "/out/s.####.exr")], "unknown side result 'shadow'"),
        ([SideResult("foreground", "")], "foreground has no file name"),
        ([ASKED, SideResult("foreground", "/out/other.####.exr")], "foreground is asked for twice"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(asked, said, raises_with_hint):
    with raises_with_hint(BadInput, said):
        side_kinds.check(asked)


def test_what_can_be_asked_for_is_let_pass():
    side_kinds.check([])
    side_kinds.check([ASKED])
