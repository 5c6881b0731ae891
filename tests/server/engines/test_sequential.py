import pytest
from videomama_client.settings import MatteSettings
from videomama_server.engines import sequential
from videomama_server.engines.base import PROTOCOL, WindowShape
from videomama_server.engines.classic.engine import ClassicEngine
from videomama_server.engines.held import HeldEngine
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.engines.sequential import FramePrompts, PlainSequentialEngine


def test_engines_of_windows_are_not_sequential_and_take_no_prompts():
    for kind in (ClassicEngine, PassthroughEngine):
        assert not sequential.is_sequential(kind)
        assert sequential.prompts_of(kind) == ()


def test_a_sequential_engine_sees_whole_plates_one_after_the_other():
    assert HeldEngine.shape(MatteSettings()) == WindowShape(1, 0)
    assert HeldEngine().rule(MatteSettings()).whole


def test_one_that_lacks_a_method_cannot_be_made():
    class Half(PlainSequentialEngine):
        name, protocol, fingerprint = "half", PROTOCOL, "half-1"

    with pytest.raises(TypeError, match="encode"):
        Half.load(None)


def test_a_frame_without_prompts_has_arrays_of_its_own():
    one, other = FramePrompts(1), FramePrompts(2)
    assert one.points.shape == (0, 2)
    assert one.labels.shape == (0,)
    assert one.points is not other.points
