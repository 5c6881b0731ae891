import pytest
from videomama_client import errors, wire
from videomama_client.errors import InternalError, VideoMaMaError, from_code

KINDS = VideoMaMaError.__subclasses__()


def test_there_are_eight_kinds_with_codes_of_their_own():
    own = [kind for kind in KINDS if kind.__module__ == errors.__name__]
    assert len(own) == 8
    assert len({kind.code for kind in own}) == 8


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.__module__ == errors.__name__])
def test_kind_survives_the_wire(kind):
    rebuilt = from_code(kind.code, "frame 7 is broken", "Render it again.")
    assert type(rebuilt) is kind
    assert (rebuilt.message, rebuilt.hint) == ("frame 7 is broken", "Render it again.")


def test_a_code_of_a_later_version_is_an_internal_error():
    assert type(from_code("gremlins", "m", "h")) is InternalError


def test_text_is_message_then_hint():
    assert str(VideoMaMaError("broken", "Mend it.")) == "broken\nMend it."
    assert str(VideoMaMaError("broken")) == "broken"


def test_an_error_that_names_something_endless_still_fits_on_the_wire():
    error = VideoMaMaError("\N{GRINNING FACE}" * 100_000, "x" * 100_000)
    assert len(error.message.encode()) < wire.MAX_TEXT_BYTES
    assert len(error.hint.encode()) < wire.MAX_TEXT_BYTES
    assert error.message.endswith("...")
